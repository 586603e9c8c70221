// SPDX-License-Identifier: Apache-2.0
// The program: parses the command line, runs one command, turns errors into messages and exit codes.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "command_line_mistakes.hpp"
#include "commands/commands.hpp"
#include "environment.hpp"
#include "exit_status.hpp"
#include "helpers.hpp"
#include "stembridge/base/errors.hpp"

namespace {

using namespace stembridge;
using namespace stembridge::app;

int report_error(int code, const char* message) {
    std::fputs(fmt::format("stembridge: error: {}\n", message).c_str(), stderr);
    return code;
}

/// "runs/demo/3-relax: Permission denied"
std::string in_words(const std::filesystem::filesystem_error& e) {
    const std::string to = e.path2().empty() ? "" : " to " + e.path2().string();
    return fmt::format("{}{}: {}", e.path1().string(), to, e.code().message());
}

/// Whether a command divides its work among the processes of mpirun by itself.
bool shares_by_itself(const std::string& command) {
    return command == "run" || command == "train";
}

int run(const std::string& command, const Action& action, bool verbose) {
    try {
        Session session(verbose);
        if (shares_by_itself(command))
            action(session);
        else
            with_helpers(session, [&] { action(session); });
        return ok;
    } catch (const InputError& e) {
        return report_error(input, e.what());
    } catch (const UnsupportedError& e) {
        return report_error(input, e.what());
    } catch (const FileError& e) {
        return report_error(file, e.what());
    } catch (const ConvergenceError& e) {
        return report_error(not_converged, e.what());
    } catch (const NumericalError& e) {
        return report_error(not_converged, e.what());
    } catch (const BackendError& e) {
        return report_error(back_end, e.what());
    } catch (const StoppedError& e) {
        return report_error(stopped, e.what());
    } catch (const std::bad_alloc&) {
        return report_error(back_end, "out of memory; a smaller crop or fewer threads need less");
    } catch (const std::filesystem::filesystem_error& e) {
        return report_error(file, in_words(e).c_str());
    } catch (const std::exception& e) {
        return report_error(internal, (std::string("internal: ") + e.what()).c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    app::restart_with_tuned_environment(argv);

    CLI::App program("From an atom-resolved STEM frame to quantum-mechanical dynamics of what is in it.",
                     "stembridge");
    program.set_version_flag("--version",
                             fmt::format("stembridge {} ({})", app::version(), app::git_commit()));
    bool verbose = false;
    program.add_flag("-v,--verbose", verbose, "Also show debug messages");
    program.require_subcommand(1);
    program.fallthrough();

    Action action;
    app::add_run(program, action);
    app::add_find_atoms(program, action);
    app::add_build(program, action);
    app::add_adsorb(program, action);
    app::add_energy(program, action);
    app::add_properties(program, action);
    app::add_relax(program, action);
    app::add_md(program, action);
    app::add_vibrations(program, action);
    app::add_neb(program, action);
    app::add_analyze(program, action);
    app::add_simulate_image(program, action);
    app::add_train(program, action);
    app::add_serve(program, action);
    app::add_report(program, action);
    app::add_config(program, action);
    app::add_make_parameters(program, action);
    app::add_vasp(program, action);
    app::add_doctor(program, action);
    app::add_completion(program, action);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return program.exit(e);  // --help, --version
        const std::string message =
            app::mistake_in_words(program, e) + "\nRun with --help for more information.";
        return report_error(input, message.c_str());
    }
    return run(program.get_subcommands().front()->get_name(), action, verbose);
}

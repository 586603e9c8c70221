// SPDX-License-Identifier: Apache-2.0
// Computes every case and writes the report; exit status 1 when a row that gates is missed, or one that lies
// outside of its tolerance has no reason.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "measures.hpp"
#include "page.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/io/hash.hpp"

namespace fs = std::filesystem;
using namespace stembridge;
using namespace stembridge::validation;

namespace {

std::stop_source stop;

void on_signal(int) {
    stop.request_stop();
}

// A result is only good for the tables it was computed with.
std::string tables_hash(const std::vector<fs::path>& folders) {
    std::vector<fs::path> files;
    for (const fs::path& folder : folders) {
        if (!fs::is_directory(folder))
            throw FileError(fmt::format("{} is no folder of .skf files", folder.string()));
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".skf") files.push_back(entry.path());
    }
    return io::sha256_of_files(files);
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    char text[32] = {};
    std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
    return text;
}

int validate(const fs::path& folder, const std::vector<std::string>& only, const fs::path& out,
             const std::vector<fs::path>& parameters) {
    const fs::path source = STEMBRIDGE_SOURCE_FOLDER;
    std::vector<Case> cases = read_cases(folder, only);
    // The whole computation is in the program: with another one, nothing that was kept is its result.
    const std::string hash = tables_hash(parameters), program = io::sha256_of_file("/proc/self/exe");
    Context context;
    context.stop = stop.get_token();
    const Laboratory laboratory(parameters, context);
    const auto facts = [&] {
        std::string names;
        for (const fs::path& p : parameters) names += (names.empty() ? "" : ", ") + p.filename().string();
        return std::vector<std::pair<std::string, std::string>>{{"parameter set", names},
                                                                {"SHA-256 of the tables", hash},
                                                                {"SHA-256 of the program", program},
                                                                {"date", today()}};
    };
    std::vector<Outcome> outcomes;
    for (Case& c : cases) {
        c.text_for_hash += hash + program;
        const fs::path file = out / "cases" / (c.name + ".json");
        Outcome outcome{c, read_findings(file, c), {}};
        fmt::print("{:<12} {}\n", c.name, outcome.findings ? "kept from an earlier run" : "computing ...");
        std::fflush(stdout);
        if (!outcome.findings) {
            try {
                const Timer timer;
                Findings findings = measures().at(c.config.text("case.measure"))(c.config, laboratory);
                findings.seconds = timer.seconds();
                write_findings(file, c, findings);
                outcome.findings = std::move(findings);
            } catch (const StoppedError&) {
                throw;
            } catch (const Error& e) {
                outcome.error = e.what();
                fmt::print("  failed: {}\n", e.what());
            }
        }
        for (const Reference& r : c.references) {
            const bool there = outcome.findings && outcome.findings->values.count(r.key) != 0;
            fmt::print("  {:<44} {:>10} {:<6} reference {}\n", r.title,
                       there ? fmt::format("{:.4g}", outcome.findings->values.at(r.key)) : "-", r.unit,
                       r.value ? fmt::format("{:g}", *r.value) : "none");
        }
        outcomes.push_back(std::move(outcome));
        write_validation(out, outcomes, facts());  // what is there so far
    }
    const int failures = count_failures(outcomes), unexplained = count_unexplained(outcomes);
    fmt::print("{}\n{} rows missed, {} outside of their tolerance without a reason\n",
               (out / "index.html").string(), failures, unexplained);
    return failures + unexplained == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path source = STEMBRIDGE_SOURCE_FOLDER;
    fs::path cases = source / "validation" / "cases", out = "validation-report";
    std::vector<fs::path> parameters = {source / "data" / "parameters" / "stembridge-1"};
    std::vector<std::string> only;
    CLI::App program("Computes the cases of validation/cases and sets them beside published numbers.");
    program.add_option("names", only, "Cases to compute; default: all");
    program.add_option("--out", out, "Folder of the report");
    program.add_option("--cases", cases, "Folder of the cases");
    program.add_option("--parameters", parameters, "Folders of .skf files");
    CLI11_PARSE(program, argc, argv);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    try {
        return validate(cases, only, out, parameters);
    } catch (const StoppedError& e) {
        fmt::print(stderr, "{}; finished cases are kept in {}\n", e.what(), out.string());
        return 6;
    } catch (const InputError& e) {
        fmt::print(stderr, "error: {}\n", e.what());
        return 2;
    } catch (const FileError& e) {
        fmt::print(stderr, "error: {}\n", e.what());
        return 3;
    }
}

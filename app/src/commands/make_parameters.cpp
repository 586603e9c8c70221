// SPDX-License-Identifier: Apache-2.0
// stembridge make-parameters: a Slater-Koster set from its configuration and reference structures.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

#include "commands/commands.hpp"
#include "commands/parameters_config.hpp"
#include "commands/parameters_report.hpp"
#include "environment.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/dft/make_parameters.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// The smallest electronic temperature of a fit, for references that have none.
constexpr double least_temperature = 300 * units::kelvin;

std::unique_ptr<Calculator> electronic_calculator(const fs::path& folder,
                                                  const dft::ElectronicSettings& settings) {
    tb::SccDftbOptions o;
    o.parameters = {folder};
    o.electronic_temperature = std::max(settings.electronic_temperature, least_temperature);
    o.scc.shell_resolved = true;
    o.scc.tolerance = 1e-7;
    o.scc.max_iterations = 500;
    o.spin.polarized = settings.spin_polarized;
    o.spin.unpaired = settings.unpaired;
    o.kpoints.divisions = settings.kpoints;
    return tb::make_scc_dftb(o);
}

struct Options {
    std::string config, out;
    std::vector<std::string> only;
    int threads = 0;
};

void run(const Options& options, Session& session) {
    dft::ParameterOptions parameters = read_parameter_options(options.config);
    set_threads(options.threads);
    for (const std::string& name : options.only)
        parameters.only.push_back(parse_element_pair(name, "--only"));
    const Timer timer;
    const fs::path out = options.out;
    const dft::ParameterSet set =
        dft::make_parameters(parameters, out, electronic_calculator, session.context());
    if (set.fit) {
        write_parameters_report(out, parameters.name, set);
        for (const auto& [key, constant] : set.fit->constants)
            session.info(fmt::format("constant of {} in {}: {:.6f} hartree", element_symbol(key.second),
                                     key.first, constant));
    }
    for (const auto& [first, second] : set.without_repulsive)
        session.warning(
            fmt::format("{}-{}: no repulsive energy (no reference data); the pair is refused at short "
                        "distances",
                        element_symbol(first), element_symbol(second)));
    session.info(fmt::format("{} files in {} ({:.0f} s)", set.files.size(), out.string(), timer.seconds()));
}

}  // namespace

void add_make_parameters(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "make-parameters", "Slater-Koster tables from atoms, integrals and a repulsive fit; resumes");
    command->add_option("config", options->config, "Settings of the set (TOML)")->required();
    command->add_option("--out", options->out, "Folder for the tables")->required();
    command->add_option("--only", options->only,
                        "Pairs to make, e.g. C-H: their electronic part only, in OUT/electronic");
    command->add_option("--threads", options->threads, "Threads; 0 = all processors")
        ->check(CLI::Range(0, 1024));
    command->callback(
        [options, &action] { action = [options](Session& session) { run(*options, session); }; });
}

}  // namespace stembridge::app

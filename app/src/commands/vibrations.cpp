// SPDX-License-Identifier: Apache-2.0
// stembridge vibrations: frequencies, normal modes and thermochemistry of a structure.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stages/stages.hpp"

namespace stembridge::app {

void add_vibrations(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string structure, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "vibrations", "Frequencies, normal modes and thermochemistry; continues where it was interrupted");
    command->add_option("structure", options->structure, "Structure file, relaxed")->required();
    command
        ->add_option("--out", options->out,
                     "Folder for vibrations.json, modes.extxyz, spectrum.svg and checkpoint")
        ->required();
    options->config.add(*command, "--displacement", "vibrations.displacement");
    options->config.add(*command, "--temperature", "vibrations.temperature");
    options->config.add(*command, "--pressure", "vibrations.pressure");
    options->config.add(*command, "--symmetry-number", "vibrations.symmetry_number");
    options->config.add(*command, "--multiplicity", "vibrations.multiplicity");
    options->config.add(*command, "--fix", "vibrations.fix");
    options->config.add(*command, "--broadening", "vibrations.broadening");
    options->config.add_calculator(*command);
    command->callback([options, &action] {
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            run_alone(config, options->structure, options->out, "vibrations", session,
                      [&](const Structure& structure, StageFolder& folder) {
                          vibrations(config, structure, folder, session);
                      });
        };
    });
}

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
// stembridge md: the dynamics stage alone.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::app {

void add_md(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string structure, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command =
        program.add_subcommand("md", "Dynamics of a structure; continues where it was interrupted");
    command->add_option("structure", options->structure, "Structure file")->required();
    command->add_option("--out", options->out, "Folder for trajectory, thermo.csv and checkpoint")
        ->required();
    options->config.add(*command, "--temperature", "md.temperature");
    options->config.add(*command, "--timestep", "md.timestep");
    options->config.add(*command, "--steps", "md.steps");
    options->config.add(*command, "--ensemble", "md.ensemble");
    options->config.add(*command, "--thermostat-period", "md.thermostat_period");
    options->config.add(*command, "--scc-cycles", "md.scc_cycles");
    options->config.add(*command, "--fix", "md.fix");
    options->config.add(*command, "--trajectory-every", "md.trajectory_every");
    options->config.add(*command, "--checkpoint-every", "md.checkpoint_every");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add_calculator(*command);
    command->callback([options, &action] {
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            const auto temperatures = config.quantities("md.temperature");
            if (temperatures.size() != 1)
                throw InputError(config.where("md.temperature") +
                                 ": md does one temperature; `run` does a list");
            run_alone(config, options->structure, options->out, "md", session,
                      [&](const Structure& structure, StageFolder& folder) {
                          dynamics(config, structure, temperatures.front(), folder, session);
                      });
        };
    });
}

}  // namespace stembridge::app

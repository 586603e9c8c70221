// SPDX-License-Identifier: Apache-2.0
// stembridge md: the dynamics stage alone.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"

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
    options->config.add(*command, "--start-temperature", "md.start_temperature");
    options->config.add(*command, "--heat-up", "md.heat_up");
    options->config.add(*command, "--schedule", "md.schedule");
    options->config.add(*command, "--thermostat-period", "md.thermostat_period");
    options->config.add(*command, "--thermostat-time", "md.thermostat_time");
    options->config.add(*command, "--friction-time", "md.friction_time");
    options->config.add(*command, "--rescale-every", "md.rescale_every");
    options->config.add(*command, "--scc-cycles", "md.scc_cycles");
    options->config.add(*command, "--fix", "md.fix");
    options->config.add(*command, "--trajectory-every", "md.trajectory_every");
    options->config.add(*command, "--checkpoint-every", "md.checkpoint_every");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add_calculator(*command);
    command->callback([options, &action] {
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            const auto replicas = replicas_of(config);
            if (replicas.size() != 1)
                throw InputError(
                    "md does one run: several temperatures or seeds are done by `run` with "
                    "build.structure and stages = [\"build\", \"md\"]");
            const io::Config own =
                config_of(config, replicas.front(), io::read_structure(options->structure));
            run_alone(own, options->structure, options->out, "md", session,
                      [&](const Structure& structure, StageFolder& folder) {
                          dynamics(own, structure, replicas.front(), folder, session);
                      });
        };
    });
}

}  // namespace stembridge::app

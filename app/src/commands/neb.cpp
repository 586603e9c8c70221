// SPDX-License-Identifier: Apache-2.0
// stembridge neb: the barrier between two states.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stembridge/io/structure_file.hpp"

namespace stembridge::app {

void add_neb(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string start, end, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "neb", "Barrier between two states by a nudged elastic band; continues where it was interrupted");
    command->add_option("start", options->start, "Structure file of the one state")->required();
    command->add_option("end", options->end, "The other: the same atoms in the same order")->required();
    command->add_option("--out", options->out, "Folder for path, profile and checkpoint")->required();
    options->config.add(*command, "--images", "neb.images");
    options->config.add(*command, "--path", "neb.path");
    options->config.add(*command, "--max-force", "neb.max_force");
    options->config.add(*command, "--max-steps", "neb.max_steps");
    options->config.add(*command, "--spring", "neb.spring");
    options->config.add(*command, "--climb", "neb.climb");
    options->config.add(*command, "--relax-ends", "neb.relax_ends");
    options->config.add(*command, "--fix", "neb.fix");
    options->config.add(*command, "--workers", "neb.workers");
    options->config.add(*command, "--checkpoint-every", "neb.checkpoint_every");
    options->config.add_calculator(*command);
    command->callback([options, &action] {
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            const Structure end = io::read_structure(options->end);
            run_alone(config, options->start, options->out, "neb", session,
                      [&](const Structure& start, StageFolder& folder) {
                          neb(config, start, end, folder, session);
                      },
                      {options->end});
        };
    });
}

}  // namespace stembridge::app

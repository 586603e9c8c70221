// SPDX-License-Identifier: Apache-2.0
// stembridge relax: the relax stage alone, structure file to structure file.
#include <CLI/CLI.hpp>

#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;

void add_relax(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string structure, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command =
        program.add_subcommand("relax", "Relax a structure; continues where it was interrupted");
    command->add_option("structure", options->structure, "Structure file")->required();
    command
        ->add_option("--out", options->out,
                     "Relaxed structure; checkpoint and steps go to the folder STEM.relax beside it")
        ->required();
    options->config.add(*command, "--max-force", "relax.max_force");
    options->config.add(*command, "--max-steps", "relax.max_steps");
    options->config.add(*command, "--method", "relax.method");
    options->config.add(*command, "--fix", "relax.fix");
    options->config.add(*command, "--cell", "relax.cell");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add_calculator(*command);
    command->callback([options, &action] {
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            const fs::path out = fs::absolute(options->out);
            require_place_for(out);
            io::require_writable(out, io::read_structure(options->structure));
            const fs::path folder = out.parent_path() / (out.stem().string() + ".relax");
            run_alone(config, options->structure, folder, "relax", session,
                      [&](const Structure& structure, StageFolder& stage) {
                          relax(config, structure, stage, session);
                      });
            io::write_structure(out, io::read_structure(folder / "relaxed.extxyz"));
        };
    });
}

}  // namespace stembridge::app

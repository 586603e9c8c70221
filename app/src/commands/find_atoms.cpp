// SPDX-License-Identifier: Apache-2.0
// stembridge find-atoms: the detect stage alone.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"

namespace stembridge::app {

void add_find_atoms(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{run_schema()};
        std::string image, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("find-atoms", "Find the atoms of a micrograph");
    command->add_option("image", options->image, "Micrograph: .npy, .npz, .png, .tif, .h5")->required();
    command->add_option("--out", options->out, "Folder for atoms.csv, overlay.png, summary.json, ...")
        ->required();
    options->config.add(*command, "--pixel-size", "detect.pixel_size");
    options->config.add(*command, "--fov", "detect.field_of_view");
    options->config.add(*command, "--frame", "detect.frame");
    options->config.add(*command, "--dataset", "detect.dataset");
    options->config.add(*command, "--ensemble", "detect.network");
    options->config.add(*command, "--method", "detect.method");
    options->config.add(*command, "--min-probability", "detect.min_probability");
    options->config.add_flag(*command, "--no-calibration", "detect.calibrate", "false");
    options->config.add(*command, "--seed", "run.seed");
    options->config.add(*command, "--threads", "run.threads");
    options->config.add_config_file(*command);
    command->callback([options, &action] {
        options->config.set("detect.image", options->image, "IMAGE");
        action = [options](Session& session) {
            const io::Config config = options->config.config();
            set_threads(static_cast<int>(config.integer("run.threads")));
            session.attach_folder(options->out);
            detect(config, options->out, session);
        };
    });
}

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
// stembridge train: weights of networks from simulated frames; resumes from its checkpoint.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "training/train_networks.hpp"

namespace stembridge::app {

void add_train(CLI::App& program, Action& action) {
    struct Options {
        ConfigOptions config{training_schema()};
        std::string file, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "train", "Train networks on simulated frames; continues where it was interrupted");
    command->add_option("config", options->file, "Training configuration (TOML)")->required();
    command->add_option("--out", options->out, "Folder for weights, learning curves, report and checkpoints")
        ->required();
    options->config.add(*command, "--device", "train.device");
    options->config.add(*command, "--threads", "run.threads");
    command->callback([options, &action] {
        options->config.set_file(options->file);
        action = [options](Session& session) {
            train_networks(options->config.config(), options->out, session);
        };
    });
}

}  // namespace stembridge::app

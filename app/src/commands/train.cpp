// SPDX-License-Identifier: Apache-2.0
// stembridge train: weights of networks from simulated frames; resumes from its checkpoint.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>

#include "commands/commands.hpp"
#include "environment.hpp"
#include "training/train_networks.hpp"

namespace stembridge::app {

void add_train(CLI::App& program, Action& action) {
    struct Options {
        std::string config, out;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand(
        "train", "Train networks on simulated frames; continues where it was interrupted");
    command->add_option("config", options->config, "Training configuration (TOML)")->required();
    command->add_option("--out", options->out, "Folder for weights, learning curves, report and checkpoints")
        ->required();
    command->callback([options, &action] {
        action = [options](Session& session) { train_networks(options->config, options->out, session); };
    });
}

}  // namespace stembridge::app

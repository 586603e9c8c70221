// SPDX-License-Identifier: Apache-2.0
// stembridge config: the table of configuration keys, or a configuration with everything resolved.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "commands/commands.hpp"
#include "configuration.hpp"

namespace stembridge::app {

void add_config(CLI::App& program, Action& action) {
    struct Options {
        bool explain = false, training = false;
        std::string file;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("config", "Explain the configuration keys, or check a file");
    command->add_flag("--explain", options->explain,
                      "Every key with type, unit, default and meaning (Markdown)");
    command->add_flag("--training", options->training,
                      "The keys of `stembridge train` instead of those of `run`");
    command->add_option("file", options->file, "Configuration to check and to print with every key resolved");
    command->callback([options, &action] {
        action = [options](Session&) {
            const io::Schema schema = options->training ? training_schema() : run_schema();
            if (!options->file.empty())
                std::fputs(io::Config::read(options->file, schema).resolved_toml().c_str(), stdout);
            else
                std::fputs(io::explain(schema).c_str(), stdout);
        };
    });
}

}  // namespace stembridge::app

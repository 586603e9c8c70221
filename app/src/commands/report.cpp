// SPDX-License-Identifier: Apache-2.0
// stembridge report: writes the report of a run folder again.
#include <CLI/CLI.hpp>

#include <filesystem>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"

namespace stembridge::app {

void add_report(CLI::App& program, Action& action) {
    auto folder = std::make_shared<std::string>();
    CLI::App* command = program.add_subcommand("report", "Write the report of a run folder");
    command->add_option("folder", *folder, "Run folder")->required();
    command->callback([folder, &action] {
        action = [folder](Session& session) {
            set_threads(0);
            const std::filesystem::path run = *folder;
            write_run_report(run, io::Config::read(run / "config.resolved.toml", run_schema()), session);
        };
    });
}

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
#include "command_line_mistakes.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <vector>

#include "stembridge/io/nearest_word.hpp"

namespace stembridge::app {
namespace {

/// The command that was being read: `vasp compare` of `stembridge vasp compare x --jsn y`.
const CLI::App& last_command(const CLI::App& program) {
    const auto given = program.get_subcommands();
    return given.empty() ? program : last_command(*given.back());
}

/// "vasp compare"; empty for the program itself.
std::string name_of(const CLI::App& command) {
    if (command.get_parent() == nullptr) return "";
    const std::string above = name_of(*command.get_parent());
    return (above.empty() ? "" : above + " ") + command.get_name();
}

std::vector<std::string> commands_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(sub->get_name());
    return names;
}

std::vector<std::string> options_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::App* at = &command; at != nullptr; at = at->get_parent())
        for (const CLI::Option* option : at->get_options())
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

}  // namespace

std::string mistake_in_words(const CLI::App& program, const CLI::Error& error) {
    const CLI::App& command = last_command(program);
    const std::string prefix = name_of(command).empty() ? "" : name_of(command) + ": ";
    const std::vector<std::string> unknown = program.remaining(true);
    const auto option = std::find_if(unknown.begin(), unknown.end(), [](const auto& word) {
        return word.size() > 1 && word.starts_with('-');
    });
    const std::vector<std::string> commands = commands_of(command);
    if (!commands.empty()) {
        if (unknown.empty() || option == unknown.begin())
            return fmt::format("{}no command is given; accepted are {}", prefix, fmt::join(commands, ", "));
        return fmt::format("{}unknown command '{}'; the nearest is {}", prefix, unknown.front(),
                           io::nearest_word(unknown.front(), commands));
    }
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError)) return prefix + error.what();
    if (option == unknown.end())
        return fmt::format("{}'{}' is more than is expected", prefix, unknown.front());
    const std::string name = option->substr(0, option->find('='));
    return fmt::format("{}unknown option {}; the nearest is {}", prefix, name,
                       io::nearest_word(name, options_of(command)));
}

}  // namespace stembridge::app

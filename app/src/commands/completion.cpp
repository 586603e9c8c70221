// SPDX-License-Identifier: Apache-2.0
// stembridge completion (hidden): what shells and `man` want to know, from the tree of commands.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands/commands.hpp"
#include "environment.hpp"
#include "exit_status.hpp"

namespace stembridge::app {
namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

// --- bash

/// Names of the subcommands, "energy md vasp".
std::string names(const CLI::App& command) {
    std::string text;
    for (const CLI::App* sub : subcommands(command)) text += (text.empty() ? "" : " ") + sub->get_name();
    return text;
}

/// All options of a command, "--json --help".
std::string options(const CLI::App& command) {
    std::string text;
    for (const CLI::Option* option : command.get_options())
        for (const std::string& name : option->get_lnames()) text += (text.empty() ? "--" : " --") + name;
    return text;
}

/// A command as it is typed, without the program: "vasp write".
std::string joined(const std::string& path, const CLI::App& sub) {
    return path.empty() ? sub.get_name() : path + " " + sub.get_name();
}

/// One case of the script for a command, then those of its subcommands.
std::string cases(const CLI::App& command, const std::string& path) {
    std::string text =
        fmt::format("        '{}') commands='{}' options='{}' ;;\n", path, names(command), options(command));
    for (const CLI::App* sub : subcommands(command)) text += cases(*sub, joined(path, *sub));
    return text;
}

/// Words that lead on to a subcommand, as patterns: "' energy'|'vasp write'".
std::string steps(const CLI::App& command, const std::string& path) {
    std::string text;
    for (const CLI::App* sub : subcommands(command)) {
        text += fmt::format("{}'{} {}'", text.empty() ? "" : "|", path, sub->get_name());
        if (const std::string deeper = steps(*sub, joined(path, *sub)); !deeper.empty()) text += "|" + deeper;
    }
    return text;
}

std::string bash_completion(const CLI::App& program) {
    return fmt::format(R"(# Made by `stembridge completion bash`.
_stembridge() {{
    local word path='' commands='' options='' current=${{COMP_WORDS[COMP_CWORD]}}
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$path $word" in
            {}) path="${{path:+$path }}$word" ;;
        esac
    done
    case "$path" in
{}    esac
    [[ $current == -* ]] && commands=$options
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
}}
complete -o default -F _stembridge stembridge
)",
                       steps(program, ""), cases(program, ""));
}

// --- man

/// A text that roff takes as it is.
std::string roff(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
    return result;
}

std::string paragraph(const std::string& what, const std::string& text) {
    return fmt::format(".TP\n\\fB{}\\fR\n\\&{}\n", roff(what), roff(text));
}

std::string command_paragraphs(const CLI::App& command, const std::string& path) {
    std::string text;
    for (const CLI::App* sub : subcommands(command)) {
        text += paragraph(joined(path, *sub), sub->get_description());
        text += command_paragraphs(*sub, joined(path, *sub));
    }
    return text;
}

std::string manual(const CLI::App& program) {
    std::string text = fmt::format(".TH STEMBRIDGE 1 \"\" \"stembridge {}\"\n.SH NAME\nstembridge \\- {}\n",
                                   version(), roff(program.get_description()));
    text +=
        ".SH SYNOPSIS\n\\fBstembridge\\fR COMMAND [OPTIONS]\n.br\n\\fBstembridge\\fR COMMAND \\-\\-help\n";
    text += ".SH COMMANDS\n" + command_paragraphs(program, "");
    text += ".SH EXIT STATUS\n";
    for (const auto& [status, meaning] : exit_meanings) text += paragraph(std::to_string(status), meaning);
    text += ".SH ENVIRONMENT\n";
    text += paragraph("STEMBRIDGE_DATA",
                      "Folder of parameters, networks and frames, instead of share/stembridge/data.");
    text +=
        paragraph("STEMBRIDGE_LIBRARY_PATH", "Folder of libstembridge_torch.so, instead of lib/stembridge.");
    text += paragraph("OPENBLAS_CORETYPE, OMP_WAIT_POLICY, GOMP_SPINCOUNT",
                      "Set by the program to what is fastest, unless they are set already.");
    text +=
        ".SH FILES\nConfigurations to start from are in share/stembridge/examples, documentation in "
        "share/doc/stembridge.\n";
    return text;
}

}  // namespace

void add_completion(CLI::App& program, Action& action) {
    CLI::App* command =
        program.add_subcommand("completion", "Prints the completion of bash, or the page of man");
    command->group("");
    const auto what = std::make_shared<std::string>();
    command->add_option("what", *what, "bash or man")->required()->check(CLI::IsMember({"bash", "man"}));
    command->callback([what, &program, &action] {
        action = [what, &program](Session&) {
            std::fputs((*what == "bash" ? bash_completion(program) : manual(program)).c_str(), stdout);
        };
    });
}

}  // namespace stembridge::app

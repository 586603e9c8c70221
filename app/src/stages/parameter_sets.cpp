// SPDX-License-Identifier: Apache-2.0
#include "stages/parameter_sets.hpp"

#include <algorithm>
#include <regex>

#include "configuration.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// The contents of every element of this name. Documentation of tables is XML-like, not always XML.
std::vector<std::string> elements_of(const std::string& text, const std::string& name) {
    std::vector<std::string> contents;
    const std::string close = "</" + name + ">";
    for (std::size_t at = text.find("<" + name); at != std::string::npos; at = text.find("<" + name, at)) {
        const std::size_t begin = text.find('>', at), end = text.find(close, at);
        if (begin == std::string::npos || end == std::string::npos) break;
        if (begin < end) contents.push_back(text.substr(begin + 1, end - begin - 1));
        at = end;
    }
    return contents;
}

/// In one line, without what XML escapes.
std::string readable(std::string text) {
    text = std::regex_replace(text, std::regex("(&|and)quot;"), "\"");
    text = std::regex_replace(text, std::regex("&amp;"), "&");
    text = std::regex_replace(text, std::regex("\\s+"), " ");
    return std::regex_replace(text, std::regex("^ | $"), "");
}

}  // namespace

std::vector<fs::path> parameter_sets(const io::Config& config) {
    if (config.text("calculator.kind") != "scc-dftb") return {};
    std::vector<fs::path> folders;
    try {
        folders = parameter_folders(config);
    } catch (const FileError&) {
        return {};
    }
    std::erase_if(folders, [](const fs::path& folder) { return !fs::is_directory(folder); });
    return folders;
}

std::vector<std::string> citations_of(const std::vector<fs::path>& tables) {
    std::vector<std::string> citations;
    const auto add = [&](const std::vector<std::string>& texts) {
        for (const std::string& text : texts)
            if (const std::string line = readable(text);
                !line.empty() && std::find(citations.begin(), citations.end(), line) == citations.end())
                citations.push_back(line);
    };
    for (const fs::path& file : tables) {
        const std::string text = io::read_text(file);
        const std::size_t documentation = text.find("<Documentation>");
        if (documentation == std::string::npos) continue;
        const std::string about = text.substr(documentation);
        std::vector<std::string> publications;
        for (const std::string& list : elements_of(about, "Publications"))
            for (const char* kind : {"Fit", "Other"})
                for (std::string& entry : elements_of(list, kind)) publications.push_back(std::move(entry));
        add(publications.empty() ? elements_of(about, "Note") : publications);
    }
    return citations;
}

}  // namespace stembridge::app

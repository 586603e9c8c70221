// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/io/hash.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;

std::string inputs_hash(const io::Config& config, const std::vector<std::string>& tables,
                        const std::vector<fs::path>& files) {
    std::string text = tables_text(config, tables);
    for (const auto& file : files) text += io::sha256_of_file(file) + "\n";
    return io::sha256_of_text(text);
}

std::vector<fs::path> table_files(const io::Config& config, const Structure& structure) {
    const std::set<int> elements(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    std::vector<fs::path> files;
    for (const int a : elements)
        for (const int b : elements)
            for (const auto& folder : parameter_folders(config)) {
                const fs::path file = folder / fmt::format("{}-{}.skf", element_symbol(a), element_symbol(b));
                if (!fs::exists(file)) continue;
                files.push_back(file);
                break;
            }
    return files;
}

}  // namespace stembridge::app

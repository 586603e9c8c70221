// SPDX-License-Identifier: Apache-2.0
// The parsers that are fuzzed, each with small valid inputs to begin with.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace stembridge::testing {

struct FuzzedParser {
    std::string name;
    std::string file_name;           ///< the suffix chooses the reader
    std::vector<std::string> seeds;  ///< valid contents
    std::function<void(const std::filesystem::path&)> read;
};

/// @param scratch folder for files that seeds are made of
std::vector<FuzzedParser> fuzzed_parsers(const std::filesystem::path& scratch);

}  // namespace stembridge::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace stembridge::dft {

/// Writes a file under another name and renames it, so that no reader meets half of it.
/// @throw FileError where it cannot be written
void write_whole_file(const std::filesystem::path& path, const std::string& text);

}  // namespace stembridge::dft

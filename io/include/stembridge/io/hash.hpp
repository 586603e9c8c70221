// SPDX-License-Identifier: Apache-2.0
// SHA-256 digests, for provenance and for knowing whether an input changed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stembridge::io {

/// SHA-256 of a file's content, 64 hexadecimal digits. @throw FileError when it cannot be read
std::string sha256_of_file(const std::filesystem::path& path);

/// SHA-256 of the names and contents of files, whatever their order. @throw FileError as above
std::string sha256_of_files(const std::vector<std::filesystem::path>& files);

/// SHA-256 of a text, 64 hexadecimal digits.
std::string sha256_of_text(std::string_view text);

}  // namespace stembridge::io

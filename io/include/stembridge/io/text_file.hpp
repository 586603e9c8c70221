// SPDX-License-Identifier: Apache-2.0
// Whole files in and out, the latter without ever leaving half a file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace stembridge::io {

/// Content of a file. @throw FileError when it is missing or unreadable
std::string read_text(const std::filesystem::path& path);

/// Writes a file under a temporary name beside it, flushes it to the disk and renames it: readers see the old
/// content or the new one, and on an error (disk full) the old one stays. Missing folders are made. @throw
/// FileError
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace stembridge::io

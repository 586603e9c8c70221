// SPDX-License-Identifier: Apache-2.0
// Files that may be compressed with gzip or xz.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace stembridge::io {

/// Content of a file after decompression.
struct Decompressed {
    std::string text;
    bool cut = false;    ///< the compressed data end too early; text is what could be had
    std::string damage;  ///< why the compressed data are wrong; empty = they are not
};

/// Undoes gzip or xz, known by their first bytes; anything else is given back as it is.
Decompressed decompress(std::string_view data);

}  // namespace stembridge::io

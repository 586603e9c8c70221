// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace stembridge {

/// Without the blanks, tabs and carriage returns at both ends.
inline std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// What a mistyped word may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stembridge::io {

/// The entry of a list that is nearest by edit distance, empty where the list is; a difference in the last
/// part of a dotted path counts full, another table counts 2.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace stembridge::io

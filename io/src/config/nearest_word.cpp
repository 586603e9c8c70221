// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/nearest_word.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace stembridge::io {
namespace {

/// The number of insertions, deletions and replacements that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::string_view last_part(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
    const auto distance = [&](const std::string& other) {
        return std::min(edit_distance(word, other), edit_distance(last_part(word), last_part(other)) + 2);
    };
    const auto best = std::min_element(
        known.begin(), known.end(), [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
    return best == known.end() ? "" : *best;
}

}  // namespace stembridge::io

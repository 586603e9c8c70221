// SPDX-License-Identifier: Apache-2.0
#include "structure/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {

std::optional<std::string_view> LineReader::next() {
    if (position_ >= text_.size()) return std::nullopt;
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    std::string_view line = text_.substr(position_, end - position_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    position_ = std::min(end + 1, text_.size());
    ++number_;
    return line;
}

std::string_view LineReader::expect(std::string_view what) {
    if (const auto line = next()) return *line;
    throw FileError(
        fmt::format("{}:{}: the file ends here, but {} should follow (truncated?)", name_, number_, what));
}

bool LineReader::only_blanks_follow() const {
    return text_.find_first_not_of(" \t\r\n", position_) == std::string_view::npos;
}

void LineReader::fail(const std::string& what) const {
    throw FileError(fmt::format("{}:{}: {}", name_, number_, what));
}

std::vector<std::string_view> words(std::string_view line, char separator) {
    const auto is_blank = [&](char c) { return c == ' ' || c == '\t' || c == separator; };
    std::vector<std::string_view> result;
    for (std::size_t at = 0; at < line.size();) {
        if (is_blank(line[at])) {
            ++at;
            continue;
        }
        const std::size_t begin = at;
        while (at < line.size() && !is_blank(line[at])) ++at;
        result.push_back(line.substr(begin, at - begin));
    }
    return result;
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::optional<double> to_number(std::string_view word) {
    if (word.starts_with('+')) word.remove_prefix(1);
    double value = 0;
    const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (status != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::optional<std::int64_t> to_integer(std::string_view word) {
    if (word.starts_with('+')) word.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (status != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
}

double number(const LineReader& lines, std::string_view word, std::string_view what) {
    if (const auto value = to_number(word)) return *value;
    lines.fail(fmt::format("'{}' is not a finite number, expected {}", word, what));
}

std::int64_t integer(const LineReader& lines, std::string_view word, std::string_view what) {
    if (const auto value = to_integer(word)) return *value;
    lines.fail(fmt::format("'{}' is not an integer, expected {}", word, what));
}

int species(const LineReader& lines, std::string_view symbol) {
    try {
        return atomic_number(symbol.substr(0, symbol.find_first_of("_/")));
    } catch (const InputError&) {
        lines.fail(fmt::format("'{}' is not the symbol of an element", symbol));
    }
}

}  // namespace stembridge::io

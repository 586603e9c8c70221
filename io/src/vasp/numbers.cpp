// SPDX-License-Identifier: Apache-2.0
#include "vasp/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace stembridge::io {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Length of the number at the beginning of a text; 0 when there is none.
std::size_t number_length(std::string_view text, int decimals) {
    std::size_t at = 0;
    const auto digits = [&](std::size_t at_most) {
        const std::size_t begin = at;
        while (at < text.size() && is_digit(text[at]) && at - begin < at_most) ++at;
        return at - begin;
    };
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    std::size_t n_digits = digits(text.size());
    if (at < text.size() && text[at] == '.') {
        ++at;
        n_digits += digits(decimals > 0 ? static_cast<std::size_t>(decimals) : text.size());
    }
    if (n_digits == 0) return 0;
    if (at < text.size() && std::string_view("EeDd").find(text[at]) != std::string_view::npos) {
        const std::size_t mantissa = at++;
        if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
        if (digits(text.size()) == 0) at = mantissa;
    }
    return at;
}

double value_of(std::string_view word) {
    if (word.starts_with('+')) word.remove_prefix(1);
    std::string text(word);
    std::replace(text.begin(), text.end(), 'D', 'E');
    std::replace(text.begin(), text.end(), 'd', 'e');
    double value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    return status == std::errc{} && end == text.data() + text.size() && std::isfinite(value) ? value
                                                                                             : missing;
}

/// Length of "NaN", "Infinity" and the like at the beginning of a text; 0 when there is none.
std::size_t not_finite_length(std::string_view text) {
    for (const std::string_view word : {"NaN", "nan", "NAN", "Infinity", "Inf", "inf"})
        for (const std::string_view sign : {"", "-", "+"})
            if (text.starts_with(sign) && text.substr(sign.size()).starts_with(word))
                return sign.size() + word.size();
    return 0;
}

}  // namespace

std::optional<std::vector<double>> fortran_numbers(std::string_view line, int decimals, int width) {
    std::vector<double> numbers;
    for (std::size_t at = 0; at < line.size();) {
        if (is_blank(line[at])) {
            ++at;
            continue;
        }
        const std::string_view rest = line.substr(at);
        if (rest[0] == '*') {
            const std::size_t length = std::min(rest.find_first_not_of('*'), rest.size());
            const std::size_t fields =
                width > 0 ? std::max<std::size_t>(1, length / static_cast<std::size_t>(width)) : 1;
            numbers.insert(numbers.end(), fields, missing);
            at += length;
            continue;
        }
        if (const std::size_t length = not_finite_length(rest); length > 0) {
            numbers.push_back(missing);
            at += length;
            continue;
        }
        const std::size_t length = number_length(rest, decimals);
        if (length == 0) return std::nullopt;
        numbers.push_back(value_of(rest.substr(0, length)));
        at += length;
        if (at == line.size()) break;
        const char next = line[at];
        const bool separated = is_blank(next) || next == '-' || next == '+' || next == '*';
        if (!separated && !(decimals > 0 && is_digit(next))) return std::nullopt;
    }
    return numbers;
}

std::optional<double> leading_number(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t=");
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    const std::size_t length = number_length(text, 0);
    if (length == 0) return std::nullopt;
    const double value = value_of(text.substr(0, length));
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<int> leading_integer(std::string_view text) {
    const auto value = leading_number(text);
    if (!value || *value != std::floor(*value) || std::abs(*value) > 1e9) return std::nullopt;
    return static_cast<int>(*value);
}

}  // namespace stembridge::io

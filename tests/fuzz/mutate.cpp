// SPDX-License-Identifier: Apache-2.0
#include "fuzz/mutate.hpp"

#include <algorithm>
#include <array>

namespace stembridge::testing {
namespace {

constexpr std::size_t longest = 64 * 1024;

std::size_t below(std::size_t n, std::mt19937_64& random) {
    return n == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
}

/// A piece of a text: where it begins and how long it is, mostly short.
std::pair<std::size_t, std::size_t> piece(const std::string& text, std::mt19937_64& random) {
    const std::size_t begin = below(text.size(), random);
    const std::size_t most = below(4, random) == 0 ? text.size() : 40;
    return {begin, std::min(text.size() - begin, 1 + below(most, random))};
}

void replace_number(std::string& text, std::mt19937_64& random) {
    static const std::array<const char*, 20> numbers = {"0",
                                                        "-1",
                                                        "1",
                                                        "999999999",
                                                        "4294967296",
                                                        "9223372036854775807",
                                                        "99999999999999999999",
                                                        "1e308",
                                                        "1e999",
                                                        "-1e-400",
                                                        "nan",
                                                        "inf",
                                                        "****",
                                                        "-0.63-0.11",
                                                        "0x10",
                                                        "1.5.2",
                                                        ".",
                                                        "-",
                                                        "2147483648",
                                                        "1000000*0.0"};
    const auto is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; };
    const std::size_t from = below(text.size(), random);
    const auto begin = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), is_part);
    const auto end = std::find_if_not(begin, text.end(), is_part);
    text.replace(begin, end, numbers[below(numbers.size(), random)]);
}

void replace_line(std::string& text, std::mt19937_64& random) {
    const std::size_t begin = text.rfind('\n', below(text.size(), random));
    const std::size_t first = begin == std::string::npos ? 0 : begin + 1;
    const std::size_t end = std::min(text.find('\n', first), text.size() - 1);
    const std::string line = text.substr(first, end - first + 1);
    switch (below(3, random)) {
        case 0:
            text.erase(first, line.size());
            break;
        case 1:
            text.insert(first, line);
            break;
        default:
            text.insert(first, "\n");
    }
}

void damage(std::string& text, const std::vector<std::string>& seeds, std::mt19937_64& random) {
    if (text.empty()) {
        text = seeds[below(seeds.size(), random)];
        return;
    }
    const auto [begin, length] = piece(text, random);
    switch (below(10, random)) {
        case 0:
            text[begin] = static_cast<char>(text[begin] ^ (1 << below(8, random)));
            break;
        case 1:
            text[begin] = static_cast<char>(below(256, random));
            break;
        case 2:
            text.erase(begin, length);
            break;
        case 3:
            text.insert(below(text.size(), random), text.substr(begin, length));
            break;
        case 4:
            text.resize(begin);
            break;
        case 5:
            std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(begin), length,
                        below(2, random) == 0 ? '\0' : '\xff');
            break;
        case 6: {
            const std::string& other = seeds[below(seeds.size(), random)];
            const auto [from, n] = piece(other, random);
            text.insert(begin, other.substr(from, n));
            break;
        }
        case 7:
            replace_line(text, random);
            break;
        default:
            replace_number(text, random);
    }
    if (text.size() > longest) text.resize(longest);
}

}  // namespace

std::string mutate(const std::vector<std::string>& seeds, std::mt19937_64& random) {
    std::string text = seeds[below(seeds.size(), random)];
    const std::size_t n = 1 + below(8, random);
    for (std::size_t i = 0; i < n; ++i) damage(text, seeds, random);
    return text;
}

}  // namespace stembridge::testing

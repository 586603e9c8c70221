// SPDX-License-Identifier: Apache-2.0
// Electron configurations: ground states and their notation.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/dft/atom.hpp"

namespace stembridge::dft {
namespace {

constexpr std::string_view letters = "spdf";

double capacity(int l) {
    return 2.0 * (2 * l + 1);
}

/// Shells in the order of filling (Madelung) until all electrons are placed.
std::vector<Shell> aufbau(int electrons) {
    constexpr std::array<std::pair<int, int>, 8> order = {
        {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {4, 0}, {3, 2}, {4, 1}}};
    std::vector<Shell> shells;
    double left = electrons;
    for (const auto& [n, l] : order) {
        if (left <= 0) break;
        const double here = std::min(left, capacity(l));
        shells.push_back({n, l, here, 0});
        left -= here;
    }
    return shells;
}

}  // namespace

std::string shell_name(int n, int l) {
    return fmt::format("{}{}", n, letters.at(static_cast<std::size_t>(l)));
}

std::vector<Shell> ground_state(int z) {
    if (z < 1 || z > 36)
        throw InputError(fmt::format(
            "no ground state is known here for atomic number {}; accepted are 1 to 36 (H to Kr), or give the "
            "configuration, as in \"[Ar] 3d5 4s1\"",
            z));
    std::vector<Shell> shells = aufbau(z);
    if (z == 24 || z == 29)  // Cr 3d5 4s1, Cu 3d10 4s1
        for (Shell& s : shells) {
            if (s.n == 4 && s.l == 0) s.up = 1;
            if (s.n == 3 && s.l == 2) s.up += 1;
        }
    for (Shell& s : shells) {  // Hund: as many parallel spins as fit
        const double electrons = s.up;
        s.up = std::min(electrons, capacity(s.l) / 2);
        s.down = electrons - s.up;
    }
    std::sort(shells.begin(), shells.end(),
              [](const Shell& a, const Shell& b) { return std::pair(a.n, a.l) < std::pair(b.n, b.l); });
    return shells;
}

std::vector<Shell> without_spin(std::vector<Shell> shells) {
    for (Shell& s : shells) s.up = s.down = s.occupation() / 2;
    return shells;
}

std::vector<Shell> parse_configuration(std::string_view text) {
    std::vector<Shell> shells;
    std::istringstream words{std::string(text)};
    std::string word;
    const auto fail = [&](const std::string& why) {
        throw InputError(
            fmt::format("configuration \"{}\": {}; expected as in \"[Ar] 3d5 4s1 4p0\"", text, why));
    };
    while (words >> word) {
        if (word.size() > 2 && word.front() == '[' && word.back() == ']') {
            if (!shells.empty()) fail("the core must come first");
            shells = without_spin(ground_state(atomic_number(word.substr(1, word.size() - 2))));
            continue;
        }
        int n = 0;
        double occupation = 0;
        const char* end = word.data() + word.size();
        const auto number = std::from_chars(word.data(), end, n);
        const std::size_t l =
            number.ec == std::errc{} && number.ptr != end ? letters.find(*number.ptr) : letters.npos;
        if (l == letters.npos) fail(fmt::format("'{}' is no shell", word));
        const auto electrons = std::from_chars(number.ptr + 1, end, occupation);
        if (electrons.ec != std::errc{} || electrons.ptr != end)
            fail(fmt::format("'{}' has no number of electrons", word));
        const int l_int = static_cast<int>(l);
        if (n < 1 || n > 7 || l_int >= n) fail(fmt::format("there is no shell {}", shell_name(n, l_int)));
        if (!(occupation >= 0) || occupation > capacity(l_int))
            fail(fmt::format("{} holds 0 to {} electrons", shell_name(n, l_int), capacity(l_int)));
        if (std::any_of(shells.begin(), shells.end(),
                        [&](const Shell& s) { return s.n == n && s.l == l_int; }))
            fail(fmt::format("{} stands twice", shell_name(n, l_int)));
        shells.push_back({n, l_int, occupation / 2, occupation / 2});
    }
    if (shells.empty()) fail("it is empty");
    return shells;
}

}  // namespace stembridge::dft

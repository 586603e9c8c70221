// SPDX-License-Identifier: Apache-2.0
// Radial orbitals as comma-separated values.
#include "stembridge/tb/tables/orbitals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

constexpr std::string_view shell_letters = "spdf";
constexpr std::string_view first_column = "r_bohr";

std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> words;
    while (true) {
        const auto comma = line.find(',');
        words.emplace_back(line.substr(0, comma));
        if (comma == std::string_view::npos) return words;
        line.remove_prefix(comma + 1);
    }
}

/// "Si 3p", or an orbital without a symbol when it is malformed.
RadialOrbital orbital_of(const std::string& name) {
    const auto space = name.find(' ');
    if (space == std::string::npos || space == 0 || name.size() != space + 3) return {};
    const auto l = shell_letters.find(name[space + 2]);
    const int n = name[space + 1] - '0';
    if (l == std::string_view::npos || n <= static_cast<int>(l) || n > 7) return {};
    return {name.substr(0, space), n, static_cast<int>(l), {}};
}

/// int R^2 r^2 dr by trapezoids.
double norm(const std::vector<double>& r, const std::vector<double>& values) {
    double sum = 0;
    for (std::size_t k = 1; k < r.size(); ++k)
        sum +=
            0.5 * (r[k] - r[k - 1]) * (std::pow(values[k] * r[k], 2) + std::pow(values[k - 1] * r[k - 1], 2));
    return sum;
}

}  // namespace

const RadialOrbital* OrbitalTable::find(const std::string& symbol, int l) const {
    const auto found = std::find_if(orbitals.begin(), orbitals.end(),
                                    [&](const RadialOrbital& o) { return o.symbol == symbol && o.l == l; });
    return found == orbitals.end() ? nullptr : &*found;
}

std::string orbitals_text(const OrbitalTable& table, const std::vector<std::string>& documentation) {
    std::string text;
    for (const std::string& line : documentation) text += "# " + line + "\n";
    text += first_column;
    for (const RadialOrbital& o : table.orbitals)
        text += fmt::format(",{} {}{}", o.symbol, o.n, shell_letters[static_cast<std::size_t>(o.l)]);
    text += '\n';
    for (std::size_t k = 0; k < table.r.size(); ++k) {
        text += fmt::format("{:.8g}", table.r[k]);
        for (const RadialOrbital& o : table.orbitals) text += fmt::format(",{:.8g}", o.values[k]);
        text += '\n';
    }
    return text;
}

OrbitalTable read_orbitals(const std::filesystem::path& path) {
    std::ifstream stream(path);
    if (!stream)
        throw FileError(
            fmt::format("{}: cannot be read; expected a table of radial orbitals", path.string()));
    int number = 0;
    const auto fail = [&](const std::string& what) {
        throw FileError(fmt::format("{}:{}: {}", path.string(), number, what));
    };
    OrbitalTable table;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty() || line.starts_with('#')) continue;
        const std::vector<std::string> words = split(line);
        if (table.orbitals.empty()) {
            if (words.size() < 2 || words[0] != first_column)
                fail(fmt::format("expected the header '{},ELEMENT SHELL,...', e.g. '{},C 2s,C 2p'",
                                 first_column, first_column));
            for (std::size_t k = 1; k < words.size(); ++k) {
                const RadialOrbital orbital = orbital_of(words[k]);
                if (orbital.symbol.empty())
                    fail(fmt::format("'{}' is no orbital; expected as in 'Si 3p'", words[k]));
                if (table.find(orbital.symbol, orbital.l))
                    fail(
                        fmt::format("'{}': a second orbital of this element and angular momentum", words[k]));
                table.orbitals.push_back(orbital);
            }
            continue;
        }
        if (words.size() != table.orbitals.size() + 1)
            fail(fmt::format("{} numbers expected, found {}", table.orbitals.size() + 1, words.size()));
        for (std::size_t k = 0; k < words.size(); ++k) {
            double value = 0;
            const char* end = words[k].data() + words[k].size();
            const auto parsed = std::from_chars(words[k].data(), end, value);
            if (parsed.ec != std::errc{} || parsed.ptr != end || !std::isfinite(value))
                fail(fmt::format("'{}' is not a finite number", words[k]));
            (k == 0 ? table.r : table.orbitals[k - 1].values).push_back(value);
        }
        const std::size_t rows = table.r.size();
        if (rows == 1 ? table.r[0] != 0 : table.r[rows - 1] <= table.r[rows - 2])
            fail("the distances must start at 0 and ascend");
    }
    if (table.r.size() < 10) fail(fmt::format("{} rows found; at least 10 are needed", table.r.size()));
    for (const RadialOrbital& o : table.orbitals)
        if (const double n = norm(table.r, o.values); std::abs(n - 1) > 0.01)
            fail(fmt::format("the orbital {} {}{} is not normalised: the integral of R^2 r^2 is {:.4f}",
                             o.symbol, o.n, shell_letters[static_cast<std::size_t>(o.l)], n));
    return table;
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// The gen format of DFTB+: clusters (C), periodic structures (S), periodic with fractions (F).
#include <fmt/format.h>

#include <algorithm>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"
#include "structure/formats.hpp"

namespace stembridge::io {
namespace {

using units::angstrom;

/// The next line that is neither blank nor a comment, without its comment.
std::string_view next_content(LineReader& lines, std::string_view what) {
    while (true) {
        const std::string_view line = lines.expect(what);
        const std::string_view content = trimmed(line.substr(0, line.find('#')));
        if (!content.empty()) return content;
    }
}

Eigen::Vector3d parse_vector(const LineReader& lines, const std::vector<std::string_view>& parts,
                             std::size_t first, std::string_view what) {
    if (parts.size() < first + 3) lines.fail(fmt::format("expected three numbers: {}", what));
    return {number(lines, parts[first], what), number(lines, parts[first + 1], what),
            number(lines, parts[first + 2], what)};
}

}  // namespace

Structure read_gen(LineReader& lines) {
    Structure structure;
    const auto header = words(next_content(lines, "the number of atoms and C, S or F"));
    const auto count = header.size() == 2 ? to_integer(header[0]) : std::nullopt;
    const std::string kind = header.size() == 2 ? lower_case(header[1]) : "";
    if (!count || *count < 1 || (kind != "c" && kind != "s" && kind != "f"))
        lines.fail("expected the number of atoms and C (cluster), S (periodic) or F (periodic, fractions)");
    if (static_cast<std::uint64_t>(*count) > lines.bytes_left() / 9)
        lines.fail(fmt::format("{} atoms are announced, but the file is too short for them", *count));
    std::vector<int> types;
    for (const auto symbol : words(next_content(lines, "the symbols")))
        types.push_back(species(lines, symbol));

    Eigen::Matrix3Xd coordinates(3, *count);
    for (std::int64_t atom = 0; atom < *count; ++atom) {
        const auto parts = words(next_content(lines, fmt::format("atom {} of {}", atom + 1, *count)));
        const std::int64_t type = parts.size() < 2 ? 0 : integer(lines, parts[1], "the index of a symbol");
        if (type < 1 || type > static_cast<std::int64_t>(types.size()))
            lines.fail(fmt::format(
                "atom {}: expected its number, the index of its symbol (1 to {}) and its position", atom + 1,
                types.size()));
        structure.atomic_numbers.push_back(types[static_cast<std::size_t>(type - 1)]);
        coordinates.col(atom) = parse_vector(lines, parts, 2, "a position");
    }
    structure.positions = coordinates * angstrom;
    if (kind == "c") return structure;

    const auto origin = words(next_content(lines, "the origin of the cell"));
    parse_vector(lines, origin, 0, "the origin of the cell");
    for (int i = 0; i < 3; ++i)
        structure.cell.vectors.col(i) =
            parse_vector(lines, words(next_content(lines, "a lattice vector")), 0, "a lattice vector") *
            angstrom;
    structure.cell.periodic = {true, true, true};
    if (structure.cell.volume() < 1e-6) lines.fail("the lattice vectors span no volume");
    if (kind == "f") structure.positions = structure.cell.cartesian(coordinates);
    return structure;
}

std::string format_gen(const Structure& structure) {
    std::vector<int> types;
    for (const int z : structure.atomic_numbers)
        if (std::find(types.begin(), types.end(), z) == types.end()) types.push_back(z);
    std::string text = fmt::format("{} {}\n", structure.size(), structure.cell.is_periodic() ? 'S' : 'C');
    for (const int z : types) text += fmt::format(" {}", element_symbol(z));
    text += '\n';
    const auto append = [&](const Eigen::Vector3d& v) {
        text += fmt::format(" {:24} {:24} {:24}\n", v(0) / angstrom, v(1) / angstrom, v(2) / angstrom);
    };
    for (int atom = 0; atom < structure.size(); ++atom) {
        const int z = structure.atomic_numbers[static_cast<std::size_t>(atom)];
        text += fmt::format("{:>6} {:>2}", atom + 1,
                            std::find(types.begin(), types.end(), z) - types.begin() + 1);
        append(structure.positions.col(atom));
    }
    if (structure.cell.is_periodic()) {
        append(Eigen::Vector3d::Zero());
        for (int i = 0; i < 3; ++i) append(structure.cell.vector(i));
    }
    return text;
}

}  // namespace stembridge::io

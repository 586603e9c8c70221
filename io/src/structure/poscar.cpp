// SPDX-License-Identifier: Apache-2.0
// POSCAR and CONTCAR of VASP 4 to 6.
#include <fmt/format.h>

#include <cmath>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "structure/formats.hpp"

namespace stembridge::io {
namespace {

using units::angstrom;
constexpr double angstrom_per_fs = units::angstrom / units::femtosecond;

Eigen::Vector3d parse_vector(const LineReader& lines, std::string_view line, std::string_view what) {
    const auto parts = words(line);
    if (parts.size() < 3) lines.fail(fmt::format("expected three numbers: {}", what));
    return {number(lines, parts[0], what), number(lines, parts[1], what), number(lines, parts[2], what)};
}

/// The scale line: one factor, a negative volume in angstrom^3, or one factor per axis.
Eigen::Vector3d parse_scale(const LineReader& lines, std::string_view line, const Eigen::Matrix3d& vectors) {
    const auto parts = words(line);
    if (parts.size() >= 3 && to_number(parts[0]) && to_number(parts[1]) && to_number(parts[2])) {
        const Eigen::Vector3d factors = parse_vector(lines, line, "scale factors");
        if (factors.minCoeff() <= 0) lines.fail("three scale factors must be positive");
        return factors;
    }
    const double scale = number(lines, parts.empty() ? "" : parts[0], "the scale factor");
    if (scale == 0) lines.fail("the scale factor is 0");
    return Eigen::Vector3d::Constant(scale > 0 ? scale : std::cbrt(-scale / std::abs(vectors.determinant())));
}

bool all_integers(const std::vector<std::string_view>& parts) {
    for (const auto part : parts)
        if (!to_integer(part)) return false;
    return !parts.empty();
}

/// Species symbols (none in VASP 4) and counts, each possibly over several lines.
struct Blocks {
    std::vector<std::string> symbols;
    std::vector<std::int64_t> counts;
    std::int64_t n_atoms = 0;
};

Blocks parse_blocks(LineReader& lines) {
    Blocks blocks;
    auto parts = words(lines.expect("species or counts"));
    while (!all_integers(parts)) {
        if (parts.empty()) lines.fail("blank line where species or counts should stand");
        for (const auto part : parts) {
            if (part.starts_with('!') || part.starts_with('#')) break;
            blocks.symbols.emplace_back(part);
        }
        parts = words(lines.expect("counts"));
    }
    while (true) {
        for (const auto part : parts) {
            const std::int64_t count = *to_integer(part);
            if (count < 0 || count > 100'000'000)
                lines.fail(fmt::format("'{}' is not a number of atoms", part));
            blocks.counts.push_back(count);
            blocks.n_atoms += count;
        }
        if (blocks.counts.size() >= blocks.symbols.size()) break;
        parts = words(lines.expect("more counts"));
        if (!all_integers(parts))
            lines.fail(fmt::format("{} species but {} counts", blocks.symbols.size(), blocks.counts.size()));
    }
    if (!blocks.symbols.empty() && blocks.counts.size() != blocks.symbols.size())
        lines.fail(fmt::format("{} species but {} counts", blocks.symbols.size(), blocks.counts.size()));
    if (blocks.n_atoms == 0) lines.fail("no atoms");
    // A line "0 0 0" has six bytes with its end.
    if (static_cast<std::uint64_t>(blocks.n_atoms) > lines.bytes_left() / 5)
        lines.fail(fmt::format("{} atoms are announced, but the file is too short for them", blocks.n_atoms));
    return blocks;
}

/// The flags along lattice vectors that fix these Cartesian axes. @return false when there are none
bool to_lattice_flags(const Eigen::Matrix3d& vectors, const Eigen::Array<bool, 3, 1>& fixed,
                      Eigen::Array<bool, 3, 1>& free_along) {
    for (int k = 0; k < 3; ++k) {
        const Eigen::Vector3d direction = vectors.col(k).normalized();
        free_along(k) = true;
        for (int axis = 0; axis < 3; ++axis)
            if (fixed(axis) && std::abs(direction(axis)) > 1e-8) free_along(k) = false;
    }
    Eigen::Array<bool, 3, 1> back;
    return cartesian_flags(vectors, free_along, back) && (back == fixed).all();
}

/// Velocities behind the positions, if they are there and not all zero.
void parse_velocities(LineReader& lines, Structure& structure) {
    auto line = lines.next();
    if (line && lower_case(trimmed(*line)).starts_with("lattice velocities")) {
        // A state number, three velocities and three vectors of the lattice, which this program does not
        // move.
        for (int i = 0; i < 7; ++i) lines.expect("lattice velocities");
        line = lines.next();
    }
    if (!line || lines.only_blanks_follow()) return;
    const std::string mode = lower_case(trimmed(*line));
    if (mode.starts_with('d'))
        lines.fail("velocities in direct coordinates are not supported: write them as Cartesian");
    if (!mode.empty() && !mode.starts_with('c') && !mode.starts_with('k')) return;  // not a velocity block
    Eigen::Matrix3Xd velocities(3, structure.size());
    for (int i = 0; i < structure.size(); ++i)
        velocities.col(i) = parse_vector(lines, lines.expect(fmt::format("the velocity of atom {}", i + 1)),
                                         "a velocity, angstrom/fs");
    if (!velocities.isZero(0)) structure.velocities = velocities * angstrom_per_fs;
}

}  // namespace

bool cartesian_flags(const Eigen::Matrix3d& vectors, const Eigen::Array<bool, 3, 1>& free_along,
                     Eigen::Ref<Eigen::Array<bool, 3, 1>> fixed) {
    int n_free = 0;
    fixed.setConstant(true);
    for (int k = 0; k < 3; ++k) {
        if (!free_along(k)) continue;
        ++n_free;
        const Eigen::Vector3d direction = vectors.col(k).normalized();
        for (int axis = 0; axis < 3; ++axis)
            if (std::abs(direction(axis)) > 1e-8) fixed(axis) = false;
    }
    return 3 - fixed.count() == n_free;
}

Structure read_poscar(LineReader& lines) {
    PoscarContent content = read_poscar_content(lines);
    Structure& structure = content.structure;
    if (content.free_along.cols() == 0) return std::move(structure);
    structure.fixed.resize(3, structure.size());
    for (int atom = 0; atom < structure.size(); ++atom)
        if (!cartesian_flags(structure.cell.vectors, content.free_along.col(atom), structure.fixed.col(atom)))
            throw FileError(fmt::format(
                "{}:{}: flags along a lattice vector that is no Cartesian axis cannot be kept; use "
                "T T T or F F F",
                lines.name(), content.first_atom_line + atom));
    return std::move(structure);
}

PoscarContent read_poscar_content(LineReader& lines) {
    if (lines.only_blanks_follow()) throw FileError(fmt::format("'{}' is empty", lines.name()));
    PoscarContent content;
    Structure& structure = content.structure;
    structure.comment = trimmed(lines.expect("a comment"));
    const std::string_view scale_line = lines.expect("the scale factor");
    const std::int64_t scale_number = lines.number();
    Eigen::Matrix3d vectors;
    for (int i = 0; i < 3; ++i)
        vectors.col(i) = parse_vector(lines, lines.expect("a lattice vector"), "a lattice vector");
    if (std::abs(vectors.determinant()) < 1e-12 * vectors.colwise().norm().prod() || vectors.isZero(0))
        lines.fail("the lattice vectors span no volume");
    if (!to_number(words(scale_line).empty() ? "" : words(scale_line)[0]))
        throw FileError(
            fmt::format("{}:{}: '{}' is not a scale factor", lines.name(), scale_number, scale_line));
    const Eigen::Vector3d scale = parse_scale(lines, scale_line, vectors);
    structure.cell.vectors = scale.asDiagonal() * vectors * angstrom;
    structure.cell.periodic = {true, true, true};

    const Blocks blocks = parse_blocks(lines);
    std::string_view mode = trimmed(lines.expect("'Selective dynamics', 'Direct' or 'Cartesian'"));
    const bool selective = mode.starts_with('S') || mode.starts_with('s');
    if (selective) mode = trimmed(lines.expect("'Direct' or 'Cartesian'"));
    const bool cartesian = !mode.empty() && std::string_view("CcKk").find(mode[0]) != std::string_view::npos;

    const std::int64_t n = blocks.n_atoms;
    structure.positions.resize(3, n);
    if (selective) content.free_along.resize(3, n);
    content.first_atom_line = lines.number() + 1;
    std::vector<std::string> labels;  // symbols behind the coordinates
    for (std::int64_t atom = 0; atom < n; ++atom) {
        const std::string_view line = lines.expect(fmt::format("the position of atom {} of {}", atom + 1, n));
        const auto parts = words(line);
        const Eigen::Vector3d x =
            parse_vector(lines, line, fmt::format("the position of atom {} of {}", atom + 1, n));
        structure.positions.col(atom) = cartesian ? Eigen::Vector3d(scale.cwiseProduct(x) * angstrom)
                                                  : Eigen::Vector3d(structure.cell.vectors * x);
        std::size_t label = 3;
        if (selective) {
            if (parts.size() < 6) lines.fail("selective dynamics, but no three flags behind the position");
            for (std::size_t k = 0; k < 3; ++k) {
                const std::string flag = lower_case(parts[3 + k]);
                const std::string letter = flag.substr(flag.starts_with('.') ? 1 : 0, 1);
                if (letter != "t" && letter != "f")
                    lines.fail(fmt::format("'{}' is not T or F", parts[3 + k]));
                content.free_along(static_cast<Eigen::Index>(k), atom) = letter == "t";
            }
            label = 6;
        }
        labels.emplace_back(parts.size() > label ? parts[label] : "");
    }

    std::vector<std::string> symbols = blocks.symbols;
    if (symbols.empty()) {
        // VASP 4: the symbols stand behind the positions or, by habit, in the comment.
        const auto in_comment = words(structure.comment);
        const bool comment_fits = in_comment.size() == blocks.counts.size();
        std::size_t atom = 0;
        for (std::size_t k = 0; k < blocks.counts.size(); ++k) {
            const std::string& label = atom < labels.size() ? labels[atom] : labels.back();
            symbols.push_back(!label.empty() ? label : comment_fits ? std::string(in_comment[k]) : "");
            if (symbols.back().empty())
                throw FileError(
                    fmt::format("'{}' names no species: write a line of symbols above the counts (VASP 5)",
                                lines.name()));
            atom += static_cast<std::size_t>(blocks.counts[k]);
        }
    }
    for (std::size_t k = 0; k < symbols.size(); ++k)
        structure.atomic_numbers.insert(structure.atomic_numbers.end(),
                                        static_cast<std::size_t>(blocks.counts[k]),
                                        species(lines, symbols[k]));
    parse_velocities(lines, structure);
    return content;
}

std::string format_poscar(const Structure& structure) {
    if (std::abs(structure.cell.volume()) < 1e-6)
        throw InputError("POSCAR needs a cell: give the structure a box with vacuum first");
    std::string comment = structure.comment.empty() ? structure.formula() : structure.comment;
    for (char& c : comment)
        if (c == '\n' || c == '\r') c = ' ';
    std::string text = comment + "\n1.0\n";
    const auto append = [&](const Eigen::Vector3d& v, double unit) {
        text += fmt::format("{:24} {:24} {:24}", v(0) / unit, v(1) / unit, v(2) / unit);
    };
    for (int i = 0; i < 3; ++i) {
        append(structure.cell.vector(i), angstrom);
        text += '\n';
    }
    std::string symbols;
    std::string counts;
    for (std::size_t begin = 0; begin < structure.atomic_numbers.size();) {
        std::size_t end = begin;
        while (end < structure.atomic_numbers.size() &&
               structure.atomic_numbers[end] == structure.atomic_numbers[begin])
            ++end;
        symbols += fmt::format(" {:>4}", element_symbol(structure.atomic_numbers[begin]));
        counts += fmt::format(" {:>4}", end - begin);
        begin = end;
    }
    text += symbols + "\n" + counts + "\n";
    const bool selective = structure.fixed.cols() != 0;
    if (selective) text += "Selective dynamics\n";
    text += "Cartesian\n";
    for (int atom = 0; atom < structure.size(); ++atom) {
        append(structure.positions.col(atom), angstrom);
        if (selective) {
            Eigen::Array<bool, 3, 1> free_along;
            if (!to_lattice_flags(structure.cell.vectors, structure.fixed.col(atom), free_along))
                throw InputError(
                    fmt::format("POSCAR cannot hold the fixed axes of atom {}: its flags act along lattice "
                                "vectors, which are no Cartesian axes here",
                                atom + 1));
            for (const bool free : free_along) text += free ? " T" : " F";
        }
        text += '\n';
    }
    if (structure.velocities.cols() != 0) {
        text += "\n";
        for (int atom = 0; atom < structure.size(); ++atom) {
            append(structure.velocities.col(atom), angstrom_per_fs);
            text += '\n';
        }
    }
    return text;
}

}  // namespace stembridge::io

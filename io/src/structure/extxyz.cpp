// SPDX-License-Identifier: Apache-2.0
// Extended XYZ: a count, a line of key=value pairs with Lattice, Properties and pbc, one line per atom.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "structure/formats.hpp"

namespace stembridge::io {
namespace {

using units::angstrom;
using units::electronvolt;
constexpr double angstrom_per_fs = units::angstrom / units::femtosecond;
// "momenta" as written by ASE: u angstrom per (angstrom sqrt(u/eV)), so that momentum / mass is in
// sqrt(eV/u).
const double sqrt_ev_per_u = std::sqrt(units::electronvolt / units::dalton);

/// Factor from the unit in the file to atomic units, by name.
double info_unit(std::string_view name) {
    return name == "energy" || name.starts_with("energy_") ? electronvolt : 1;
}
double array_unit(std::string_view name) {
    return name == "forces" ? units::electronvolt_per_angstrom : 1;
}

struct Pair {
    std::string key;
    std::string value;
};

/// Splits key=value pairs; values may stand in "", '', {} or []; a key alone has the value "T".
std::vector<Pair> parse_pairs(std::string_view line) {
    std::vector<Pair> pairs;
    std::size_t at = 0;
    const auto quoted = [&](char close) {
        std::string text;
        for (++at; at < line.size() && line[at] != close; ++at) {
            if (line[at] == '\\' && close == '"' && at + 1 < line.size())
                text += line[++at] == 'n' ? '\n' : line[at];
            else
                text += line[at];
        }
        if (at < line.size()) ++at;
        return text;
    };
    const auto word = [&](std::string_view stop) -> std::string {
        if (at < line.size() && line[at] == '"') return quoted('"');
        if (at < line.size() && line[at] == '\'') return quoted('\'');
        if (at < line.size() && line[at] == '{') return quoted('}');
        if (at < line.size() && line[at] == '[') return quoted(']');
        const std::size_t end = std::min(line.find_first_of(stop, at), line.size());
        const std::string_view text = line.substr(at, end - at);
        at = end;
        return std::string(text);
    };
    const auto skip_blanks = [&] {
        while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    };
    for (skip_blanks(); at < line.size(); skip_blanks()) {
        Pair pair{word(" \t="), "T"};
        skip_blanks();
        if (at < line.size() && line[at] == '=') {
            ++at;
            skip_blanks();
            pair.value = word(" \t");
        }
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

struct Column {
    std::string name;
    char type = 'R';  // S, R, I, L
    int count = 1;
    int first = 0;  // index of its first word in a line
};

std::vector<Column> parse_properties(const LineReader& lines, const std::string& text) {
    const auto parts = words(text, ':');
    if (parts.size() % 3 != 0 || parts.empty())
        lines.fail(fmt::format("Properties='{}' is malformed, expected name:type:count triples", text));
    std::vector<Column> columns;
    int first = 0;
    for (std::size_t i = 0; i < parts.size(); i += 3) {
        const auto count = to_integer(parts[i + 2]);
        if (parts[i + 1].size() != 1 ||
            std::string_view("SRIL").find(parts[i + 1][0]) == std::string_view::npos || !count ||
            *count < 1 || *count > 1000)
            lines.fail(
                fmt::format("Properties: '{}:{}:{}' is malformed, expected a type S, R, I or L and a count",
                            parts[i], parts[i + 1], parts[i + 2]));
        columns.push_back({std::string(parts[i]), parts[i + 1][0], static_cast<int>(*count), first});
        first += columns.back().count;
    }
    return columns;
}

bool truth(const LineReader& lines, std::string_view word) {
    if (word == "T" || word == "True" || word == "true" || word == "TRUE" || word == "1") return true;
    if (word == "F" || word == "False" || word == "false" || word == "FALSE" || word == "0") return false;
    lines.fail(fmt::format("'{}' is not T or F", word));
}

Cell parse_cell(const LineReader& lines, const std::string* lattice, const std::string* pbc) {
    Cell cell;
    if (lattice != nullptr) {
        const auto parts = words(*lattice, ',');
        if (parts.size() != 9) lines.fail(fmt::format("Lattice has {} numbers, expected 9", parts.size()));
        for (int i = 0; i < 9; ++i)
            cell.vectors(i % 3, i / 3) =
                number(lines, parts[static_cast<std::size_t>(i)], "a component of Lattice, angstrom") *
                angstrom;
        cell.periodic = {true, true, true};
    }
    if (pbc != nullptr) {
        const auto parts = words(*pbc, ',');
        if (parts.size() != 3) lines.fail(fmt::format("pbc has {} flags, expected 3", parts.size()));
        for (std::size_t i = 0; i < 3; ++i) cell.periodic[i] = truth(lines, parts[i]);
    }
    if (cell.is_periodic() && lattice == nullptr) lines.fail("pbc without Lattice");
    return cell;
}

std::int64_t parse_count(const LineReader& lines, std::string_view line) {
    const auto count = to_integer(trimmed(line));
    if (!count || *count < 1)
        lines.fail(fmt::format("'{}' is not a number of atoms", trimmed(line).substr(0, 40)));
    // An atom needs at least "X 0 0 0" and an end of line.
    if (static_cast<std::uint64_t>(*count) > lines.bytes_left() / 7)
        lines.fail(
            fmt::format("{} atoms are announced, but the file is too short for them (truncated?)", *count));
    return *count;
}

}  // namespace

bool skip_extxyz_frame(LineReader& lines) {
    const auto first = lines.next();
    const auto count = first ? to_integer(trimmed(*first)) : std::nullopt;
    if (!count || *count < 1) return false;
    for (std::int64_t i = 0; i <= *count; ++i)
        if (!lines.next()) return false;
    return true;
}

Frame read_extxyz_frame(LineReader& lines) {
    Frame frame;
    Structure& structure = frame.structure;
    const std::int64_t n = parse_count(lines, lines.expect("a number of atoms"));
    const std::string_view comment = lines.expect("a comment line");

    std::vector<Column> columns = {{"species", 'S', 1, 0}, {"pos", 'R', 3, 1}};
    bool plain = comment.find("Properties=") == std::string_view::npos &&
                 comment.find("Lattice=") == std::string_view::npos;
    if (plain) {
        structure.comment = trimmed(comment);
    } else {
        std::string lattice;
        std::string pbc;
        for (const Pair& pair : parse_pairs(comment)) {
            if (pair.key == "Lattice")
                lattice = pair.value;
            else if (pair.key == "pbc")
                pbc = pair.value;
            else if (pair.key == "Properties")
                columns = parse_properties(lines, pair.value);
            else if (pair.key == "comment")
                structure.comment = pair.value;
            else if (const auto value = to_number(pair.value))
                frame.info[pair.key] = *value * info_unit(pair.key);
        }
        structure.cell =
            parse_cell(lines, lattice.empty() ? nullptr : &lattice, pbc.empty() ? nullptr : &pbc);
    }

    const int n_words = columns.back().first + columns.back().count;
    structure.atomic_numbers.reserve(static_cast<std::size_t>(n));
    structure.positions.resize(3, n);
    bool momenta = false;
    bool has_species = false;
    bool has_positions = false;
    for (const Column& column : columns) {
        const std::string& name = column.name;
        const auto need = [&](int count) {
            if (column.count != count)
                lines.fail(fmt::format("Properties: {} must have {} columns", name, count));
        };
        if (name == "species" || (name == "Z" && column.type == 'I')) {
            need(1);
            has_species = true;
        } else if (name == "pos") {
            need(3);
            has_positions = true;
        } else if (name == "velo" || name == "vel" || name == "velocities" || name == "momenta") {
            need(3);
            structure.velocities.resize(3, n);
            momenta = name == "momenta";
        } else if (name == "masses") {
            need(1);
            structure.isotopes.resize(n);
        } else if (name == "move_mask") {
            if (column.count != 1) need(3);
            structure.fixed.resize(3, n);
        } else if (column.type != 'S') {
            frame.arrays[name].resize(column.count, n);
        }
    }
    if (!has_species || !has_positions) lines.fail("Properties must hold species (or Z) and pos");

    for (std::int64_t atom = 0; atom < n; ++atom) {
        const auto entries = words(lines.expect(fmt::format("atom {} of {}", atom + 1, n)));
        if (static_cast<int>(entries.size()) < n_words)
            lines.fail(fmt::format("atom {} of {} has {} columns, expected {}", atom + 1, n, entries.size(),
                                   n_words));
        for (const Column& column : columns) {
            const std::string& name = column.name;
            const auto word = [&](int i) { return entries[static_cast<std::size_t>(column.first + i)]; };
            const auto vector = [&](const char* what) {
                return Eigen::Vector3d(number(lines, word(0), what), number(lines, word(1), what),
                                       number(lines, word(2), what));
            };
            if (name == "species" || (name == "Z" && column.type == 'I')) {
                const auto z = to_integer(word(0));  // some programs write numbers for symbols
                if (z && (*z < 1 || *z > 94)) lines.fail(fmt::format("{} is not an atomic number", *z));
                structure.atomic_numbers.push_back(z ? static_cast<int>(*z) : species(lines, word(0)));
            } else if (name == "pos") {
                structure.positions.col(atom) = vector("a coordinate in angstrom") * angstrom;
            } else if (name == "velo" || name == "vel" || name == "velocities" || name == "momenta") {
                structure.velocities.col(atom) =
                    vector("a velocity") * (momenta ? units::dalton * sqrt_ev_per_u : angstrom_per_fs);
            } else if (name == "masses") {
                structure.isotopes(atom) = number(lines, word(0), "a mass") * units::dalton;
            } else if (name == "move_mask") {
                for (int i = 0; i < 3; ++i)
                    structure.fixed(i, atom) = !truth(lines, word(column.count == 1 ? 0 : i));
            } else if (column.type != 'S') {
                Eigen::MatrixXd& array = frame.arrays[name];
                for (int i = 0; i < column.count; ++i)
                    array(i, atom) = column.type == 'L' ? truth(lines, word(i))
                                                        : number(lines, word(i), name) * array_unit(name);
            }
        }
    }
    if (structure.isotopes.size() != 0) {
        // Other programs write standard masses, by another table.
        constexpr double by_another_table = 1e-3;
        const Eigen::VectorXd isotopes = std::exchange(structure.isotopes, {});
        const Eigen::VectorXd standard = structure.masses();
        if (!(((isotopes - standard).array() / standard.array()).abs() < by_another_table).all())
            structure.isotopes = isotopes;
    }
    if (momenta) structure.velocities.array().rowwise() /= structure.masses().transpose().array();
    return frame;
}

std::string format_extxyz_frame(const Frame& frame) {
    const Structure& structure = frame.structure;
    const int n = structure.size();
    const bool velocities = structure.velocities.cols() != 0;
    const bool fixed = structure.fixed.cols() != 0;
    std::string text = fmt::format("{}\n", n);
    if (!structure.cell.vectors.isZero(0)) {
        text += "Lattice=\"";
        for (int i = 0; i < 9; ++i)
            text += fmt::format("{}{}", i == 0 ? "" : " ", structure.cell.vectors(i % 3, i / 3) / angstrom);
        text += "\" ";
    }
    text += "Properties=species:S:1:pos:R:3";
    if (velocities) text += ":velo:R:3";
    if (fixed) text += ":move_mask:L:3";
    const bool isotopes = structure.isotopes.size() != 0;
    if (isotopes) text += ":masses:R:1";
    for (const auto& [name, array] : frame.arrays) {
        if (array.cols() != n || array.rows() == 0)
            throw std::logic_error(
                fmt::format("frame array '{}' has {} columns for {} atoms", name, array.cols(), n));
        text += fmt::format(":{}:R:{}", name, array.rows());
    }
    text += fmt::format(" pbc=\"{} {} {}\"", structure.cell.periodic[0] ? 'T' : 'F',
                        structure.cell.periodic[1] ? 'T' : 'F', structure.cell.periodic[2] ? 'T' : 'F');
    for (const auto& [name, value] : frame.info) text += fmt::format(" {}={}", name, value / info_unit(name));
    if (!structure.comment.empty()) {
        text += " comment=\"";
        for (const char c : structure.comment) {
            if (c == '\n') text += "\\n";
            if (c == '"' || c == '\\') text += '\\';
            if (c != '\n' && c != '\r') text += c;
        }
        text += '"';
    }
    text += '\n';
    for (int atom = 0; atom < n; ++atom) {
        text +=
            fmt::format("{:<2}", element_symbol(structure.atomic_numbers[static_cast<std::size_t>(atom)]));
        const auto append = [&](const auto& column, double unit) {
            for (Eigen::Index i = 0; i < column.size(); ++i) text += fmt::format(" {}", column(i) / unit);
        };
        append(structure.positions.col(atom), angstrom);
        if (velocities) append(structure.velocities.col(atom), angstrom_per_fs);
        if (fixed)
            for (int axis = 0; axis < 3; ++axis) text += structure.fixed(axis, atom) ? " F" : " T";
        if (isotopes) text += fmt::format(" {}", structure.isotopes(atom) / units::dalton);
        for (const auto& [name, array] : frame.arrays) append(array.col(atom), array_unit(name));
        text += '\n';
    }
    return text;
}

}  // namespace stembridge::io

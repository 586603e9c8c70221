// SPDX-License-Identifier: Apache-2.0
#include "hamiltonian/parameters.hpp"

#include <fmt/format.h>

#include <cmath>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {

namespace fs = std::filesystem;

constexpr const char* shell_names = "spdf";

/// Whether the file of an element with itself holds integrals of its shell l.
bool has_shell(const SkfTable& table, int l) {
    const int first = std::max(1, static_cast<int>(std::lround(table.first_distance() / table.spacing)));
    for (int row = first; row <= table.n_rows; ++row)
        if (std::abs(table.overlap(row, l, l, 0)) > 1e-12) return true;
    return false;
}

ElementData element_data(int atomic_number, const SkfTable& table, const std::map<int, int>& max_l,
                         const fs::path& file) {
    ElementData data;
    data.atomic_number = atomic_number;
    data.symbol = element_symbol(atomic_number);
    int highest = -1;
    for (int l = 0; l <= SkfTable::max_l; ++l)
        if (has_shell(table, l)) highest = l;
    if (highest < 0) throw FileError(fmt::format("{}: holds no overlap integrals", file.string()));
    if (const auto chosen = max_l.find(atomic_number); chosen != max_l.end()) {
        if (chosen->second > highest)
            throw InputError(
                fmt::format("max_angular_momentum of {} is {} but {} holds integrals up to {} only",
                            data.symbol, shell_names[chosen->second], file.string(), shell_names[highest]));
        highest = chosen->second;
    }
    if (highest > 2)
        throw UnsupportedError(fmt::format("f shells ({}): choose max_angular_momentum {} = \"d\" or lower",
                                           file.string(), data.symbol));
    data.n_shells = highest + 1;
    for (int l = 0; l <= highest; ++l) {
        const auto i = static_cast<std::size_t>(l);
        const SkfShell& shell = (*table.atom)[i];
        data.onsite[i] = shell.onsite_energy;
        data.hubbard[i] = shell.hubbard;
        data.occupation[i] = shell.occupation;
        if (shell.hubbard <= 0)
            throw FileError(
                fmt::format("{}: the Hubbard parameter of the {} shell is {}, expected a positive number",
                            file.string(), shell_names[l], shell.hubbard));
    }
    for (int l = highest + 1; l <= SkfTable::max_l; ++l)
        if ((*table.atom)[static_cast<std::size_t>(l)].occupation > 0)
            throw InputError(
                fmt::format("max_angular_momentum {} = \"{}\" leaves out the occupied {} shell of {}",
                            data.symbol, shell_names[highest], shell_names[l], file.string()));
    return data;
}

/// Integrals between equal shells stand in both files of a pair and must be the same numbers.
void check_pair(const SkfTable& ab, const SkfTable& ba, const fs::path& file_ab, const fs::path& file_ba) {
    if (ab.spacing != ba.spacing || ab.n_rows != ba.n_rows) return;
    for (int row = 1; row <= ab.n_rows; ++row)
        for (int l = 0; l <= SkfTable::max_l; ++l)
            for (int m = 0; m <= l; ++m)
                if (std::abs(ab.hamiltonian(row, l, l, m) - ba.hamiltonian(row, l, l, m)) > 1e-4 ||
                    std::abs(ab.overlap(row, l, l, m) - ba.overlap(row, l, l, m)) > 1e-4)
                    throw FileError(
                        fmt::format("{} and {} contradict each other at {:.2f} bohr (integral {}{}{}): files "
                                    "of different sets?",
                                    file_ab.string(), file_ba.string(), row * ab.spacing, shell_names[l],
                                    shell_names[l], m));
}

}  // namespace

Parameters::Parameters(const std::vector<fs::path>& folders, const std::vector<int>& atomic_numbers,
                       const std::map<int, int>& max_l) {
    std::vector<std::string> symbols;
    for (const int z : atomic_numbers) symbols.push_back(element_symbol(z));
    const auto files = find_skf(folders, symbols);
    std::map<std::pair<std::string, std::string>, SkfTable> tables;
    for (const auto& [pair, file] : files) tables[pair] = read_skf(file, pair.first == pair.second);
    for (std::size_t e = 0; e < symbols.size(); ++e) {
        const std::pair own{symbols[e], symbols[e]};
        elements_.push_back(element_data(atomic_numbers[e], tables.at(own), max_l, files.at(own)));
    }
    for (std::size_t a = 0; a < symbols.size(); ++a)
        for (std::size_t b = 0; b < symbols.size(); ++b) {
            const std::pair ab{symbols[a], symbols[b]}, ba{symbols[b], symbols[a]};
            if (a < b) check_pair(tables.at(ab), tables.at(ba), files.at(ab), files.at(ba));
            two_centre_.emplace_back(elements_[a], elements_[b], tables.at(ab), tables.at(ba));
            // One of the two files speaks for both directions: the lighter element first, unless it has
            // nothing.
            const SkfRepulsive& first = tables.at(a <= b ? ab : ba).repulsive;
            const SkfRepulsive& second = tables.at(a <= b ? ba : ab).repulsive;
            const bool second_has_more = second.is_spline() || (first.is_zero() && !second.is_zero());
            repulsive_.push_back(first.is_spline() || !second_has_more ? first : second);
        }
}

void Parameters::hamiltonian_and_overlap(const BlockPattern& pattern, BlockMatrix& hamiltonian,
                                         BlockMatrix& overlap) const {
    const Basis& basis = pattern.basis();
    const std::vector<Block>& blocks = pattern.blocks();
    for (const Block& b : blocks) {
        const TwoCentre& pair = two_centre(basis.element_index(b.i), basis.element_index(b.j));
        if (!b.on_site() && b.distance < pair.closest())
            throw InputError(fmt::format(
                "atoms {} ({}) and {} ({}) are {:.3f} angstrom apart: the tables begin at {:.3f} angstrom",
                b.i + 1, basis.element(b.i).symbol, b.j + 1, basis.element(b.j).symbol,
                b.distance / units::angstrom, pair.closest() / units::angstrom));
    }
#pragma omp parallel for schedule(static)
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        const Block& b = blocks[k];
        auto h = hamiltonian.block(b), s = overlap.block(b);
        if (b.on_site()) {
            h.setZero();
            s.setIdentity();
            const ElementData& element = basis.element(b.i);
            for (int l = 0; l < element.n_shells; ++l)
                h.diagonal()
                    .segment(l * l, 2 * l + 1)
                    .setConstant(element.onsite[static_cast<std::size_t>(l)]);
        } else {
            two_centre(basis.element_index(b.i), basis.element_index(b.j)).blocks(b.r, h, s);
        }
    }
}

}  // namespace stembridge::tb

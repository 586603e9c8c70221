// SPDX-License-Identifier: Apache-2.0
// Radial parts of the valence orbitals that a Slater-Koster set was made with (orbitals.csv).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stembridge::tb {

/// Name of the file beside the .skf files of a set.
inline constexpr const char* orbitals_file_name = "orbitals.csv";

/// One shell: phi(r) = R(r) Y_lm with real spherical harmonics Y_lm.
struct RadialOrbital {
    std::string symbol;  ///< of the element
    int n = 1;
    int l = 0;
    std::vector<double>
        values;  ///< R at the distances of the table, bohr^-3/2; the outermost lobe is positive
};

/// Orbitals of several elements at the same distances.
struct OrbitalTable {
    std::vector<double> r;  ///< bohr, ascending from 0
    std::vector<RadialOrbital> orbitals;

    /// The orbital of a shell, or nullptr.
    const RadialOrbital* find(const std::string& symbol, int l) const;
};

/// Text of a table: lines of documentation after '#', a header line "r_bohr,H 1s,C 2s,...", rows of numbers.
/// @param documentation lines without '#'
std::string orbitals_text(const OrbitalTable& table, const std::vector<std::string>& documentation);

/// @throw FileError (file:line) when the file is missing or malformed, a shell stands twice, the distances do
/// not ascend from 0, or an orbital is not normalised to 1 %
OrbitalTable read_orbitals(const std::filesystem::path& path);

}  // namespace stembridge::tb

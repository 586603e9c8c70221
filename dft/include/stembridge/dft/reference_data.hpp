// SPDX-License-Identifier: Apache-2.0
// Structures with energies and forces of density-functional theory, for the repulsive fit.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge::dft {

/// One calculated structure, hartree and bohr.
struct ReferenceStructure {
    std::string name;
    std::string group;  ///< structures that are kept out of the fit together to test it
    std::string code;   ///< total energies of different codes are never compared
    Structure structure;
    double energy = 0;                  ///< Mermin free energy where there is an electronic temperature
    Eigen::Matrix3Xd forces;            ///< (3, n); their mean is zero
    double electronic_temperature = 0;  ///< kT, hartree
    bool spin_polarized = false;
    std::optional<double> unpaired;          ///< electrons; empty = free moment
    std::array<int, 3> kpoints = {1, 1, 1};  ///< Monkhorst-Pack mesh
    std::optional<Eigen::Matrix3d> stress;   ///< hartree/bohr^3, tension positive
};

/// Reads an extended XYZ file whose frames carry name, group, code, energy_Ha, optionally multiplicity,
/// smearing_K, uks, kpoints (three divisions) and stress_Ha_per_bohr3 (nine numbers, tension positive), and
/// the column forces_Ha_per_bohr; positions in angstrom. The net force of each frame is taken out.
/// @throw FileError with file and line for anything missing or malformed
std::vector<ReferenceStructure> read_reference_structures(const std::filesystem::path& path);

}  // namespace stembridge::dft

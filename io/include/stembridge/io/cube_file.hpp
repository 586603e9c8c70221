// SPDX-License-Identifier: Apache-2.0
// Gaussian cube files: atoms and a function on a regular grid.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <filesystem>
#include <string>

#include "stembridge/structure/grid.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::io {

/// What a cube file holds.
struct Cube {
    std::array<std::string, 2> comments;  ///< one line each
    Structure structure;                  ///< elements and positions; a cube file knows no cell
    Grid grid;
    Eigen::VectorXd values;  ///< (grid.size()), in the order of the grid
};

/// Writes a cube file: lengths in bohr (a positive number of points says so), six values of six digits a
/// line, a new line at the end of each row.
/// @param charges column after the atomic number; empty = the atomic numbers themselves
/// @throw FileError  @throw InputError when values and grid differ in size or a value is not finite
void write_cube(const std::filesystem::path& path, const Cube& cube, const Eigen::VectorXd& charges = {});

/// Reads a cube file; negative numbers of points mean lengths in angstrom. Of a file with orbitals (negative
/// number of atoms) only one with a single orbital is accepted.
/// @throw FileError (file:line) when it is missing, truncated or malformed
Cube read_cube(const std::filesystem::path& path);

}  // namespace stembridge::io

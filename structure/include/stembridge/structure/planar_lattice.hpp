// SPDX-License-Identifier: Apache-2.0
// The lattice of a sheet, found from its atoms, and supercells of it.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge {

/// A two-dimensional Bravais lattice with the atoms of its primitive cell.
struct PlanarLattice {
    Eigen::Matrix2d vectors;  ///< columns: reduced primitive vectors, right-handed, bohr
    /// "hexagonal", "square", "rectangular", "centred rectangular" or "oblique", to 2 % and 1.5 degrees.
    std::string kind;
    /// Atomic number and place (fractions of the vectors) of each atom of the primitive cell.
    std::vector<std::pair<int, Eigen::Vector2d>> basis;
    int n_atoms = 0;      ///< on the lattice
    double share = 0;     ///< of all heavy atoms
    double residual = 0;  ///< root mean square distance of these atoms from the lattice, per axis, bohr
};

/// How a lattice is looked for.
struct PlanarLatticeOptions {
    double longest = 9 * units::angstrom;      ///< longest primitive vector that is looked for, bohr
    double tolerance = 0.4 * units::angstrom;  ///< how far an atom may be from where the lattice has it, bohr
};

/// The lattice of which most atoms of a sheet (seen along z) are part. A vector is a translation when it
/// leads from most atoms to another one of the same element; the shortest two span the lattice, which is then
/// fitted to all atoms that can be reached by such steps.
/// @throw InputError when less than half of the atoms lie on any lattice
PlanarLattice find_planar_lattice(const Structure& structure, const PlanarLatticeOptions& options = {});

/// What a periodic cell should look like.
struct SupercellOptions {
    enum class Shape {
        along_lattice,  ///< multiples of the primitive vectors
        rectangular,    ///< nearest to a right angle
        given           ///< the vectors of `cell`
    };
    Shape shape = Shape::rectangular;
    Eigen::Vector2d lengths = Eigen::Vector2d::Constant(20 * units::angstrom);  ///< wanted, bohr
    Eigen::Matrix2d cell = Eigen::Matrix2d::Zero();  ///< columns, bohr, in any orientation; for given
    double max_strain = 0.03;                        ///< largest entry of the strain that is accepted
    /// Strains the lattice to these primitive vectors (lengths in bohr, angle in radian) first, e.g. to those
    /// of the model of the energy.
    std::optional<std::array<double, 3>> primitive;
};

/// A cell with which a lattice is commensurate.
struct PlanarSupercell {
    Eigen::Matrix2i multiples;    ///< columns: primitive vectors in each vector of the cell
    Eigen::Matrix2d cell;         ///< columns, bohr; the first along +x, the second with y > 0
    Eigen::Matrix2d deformation;  ///< F, cell = F vectors multiples: rotation and strain
    Eigen::Matrix2d strain;       ///< of the sheet, in the axes of the cell: sqrt(F F^T) - 1
    int n_primitive = 0;          ///< det(multiples)
};

/// The supercell nearest to what is wanted, by size and strain.
/// @throw InputError when a length is not positive or no supercell stays within the largest strain
PlanarSupercell choose_supercell(const PlanarLattice& lattice, const SupercellOptions& options);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Positions of an image that nobody calibrated: their own bonds tell how they are distorted.
#pragma once

#include <Eigen/Dense>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge {

/// What was found and done.
struct Straightening {
    Eigen::Matrix2d map = Eigen::Matrix2d::Identity();  ///< straight = map * given, in the plane; symmetric
    double mean_bond_before = 0;                        ///< bohr
    double anisotropy_before = 0;                       ///< largest / smallest scale - 1
    int n_atoms = 0;                                    ///< with three bonds, on which it rests
};

/// Takes scale, anisotropy and shear out of the x and y of a sheet, and its cell away: the result is a
/// cluster.
///
/// The three bonds b of an atom of graphene have mean(b b^T) = d^2/2 1 whatever their orientation. A linear
/// distortion b -> A b makes this d^2/2 A A^T, so that the symmetric root of 2/d^2 mean(b b^T) is A up to a
/// rotation. Scatter of the positions only adds to the scale, which is set by the mean length of the bonds.
/// @param bond_length of C-C, bohr
/// @throw InputError when fewer than 30 carbon atoms have three bonds
Straightening straighten_sheet(Structure& structure, double bond_length = 1.42 * units::angstrom);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Band structure along a path, with the charges of the converged calculation.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "stembridge/structure/cell.hpp"
#include "stembridge/tb/electronic_state.hpp"

namespace stembridge::tb {

/// A named point of the Brillouin zone, in fractions of the reciprocal vectors.
struct BandPoint {
    std::string label;
    Eigen::Vector3d k = Eigen::Vector3d::Zero();
};

/// Corners of a path from a text such as "G M K G" or "G 0.5,0,0 K". Known labels: G; in hexagonal cells M, K
/// (and A, L, H above them where the third direction repeats); in other cells X, Y, Z, S, T, U, R at the
/// halves. The text "auto" is G M K G in hexagonal cells, else G X S Y G or what is left of it.
/// @throw InputError for an unknown label (naming those of this cell), fewer than two corners, a point with
/// components along directions that do not repeat
std::vector<BandPoint> band_path(const std::string& text, const Cell& cell);

/// Levels along a path.
struct Bands {
    std::vector<BandPoint> corners;
    std::vector<double> corner_lengths;   ///< where the corners are along the path, 1/bohr
    Eigen::Matrix3Xd points;              ///< (3, n_points), fractions of the reciprocal vectors
    std::vector<double> lengths;          ///< along the path, 1/bohr
    std::vector<Eigen::MatrixXd> levels;  ///< (n_orbitals, n_points) per spin, ascending, hartree
};

/// @param per_segment points on each piece of the path, its first corner included; at least 1
Bands bands(const ElectronicState& state, const std::vector<BandPoint>& corners, int per_segment);

}  // namespace stembridge::tb

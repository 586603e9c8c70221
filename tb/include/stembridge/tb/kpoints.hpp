// SPDX-License-Identifier: Apache-2.0
// Sampling of the Brillouin zone.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <vector>

#include "stembridge/structure/cell.hpp"

namespace stembridge::tb {

/// Points in fractions of the reciprocal vectors, with weights adding up to 1.
struct KPoints {
    Eigen::Matrix3Xd points = Eigen::Matrix3Xd::Zero(3, 1);
    Eigen::VectorXd weights = Eigen::VectorXd::Ones(1);

    int size() const { return static_cast<int>(weights.size()); }
    bool only_gamma() const { return size() == 1 && points.isZero(0); }
};

/// Regular grid in which k and -k, which have the same eigenvalues, are one point of double weight.
/// @param gamma_centered else as in VASP's "Monkhorst-Pack": points (2 i + 1 - n) / 2n, so that even n avoid
/// Gamma
/// @throw InputError for a division below 1, or above 1 in a direction that is not periodic
/// @source Monkhorst and Pack, Phys. Rev. B 13, 5188 (1976), doi:10.1103/PhysRevB.13.5188
KPoints kpoint_grid(const std::array<int, 3>& divisions, bool gamma_centered, const Cell& cell);

/// Points given one by one; two that differ by a reciprocal vector, or k and -k, become one with the sum of
/// their weights.
/// @param points fractions of the reciprocal vectors and weight of each
/// @throw InputError when a number is not finite, a weight is not positive, the weights do not add up to 1
/// (to 1e-6), or a point has a component along a direction that is not periodic
KPoints kpoint_list(const std::vector<std::array<double, 4>>& points, const Cell& cell);

/// How many lattice vectors further the waves of all points are the same again, per direction: the divisions
/// of the grid on which the points lie; 1000 where they lie on no grid of up to 100 divisions.
std::array<int, 3> common_divisions(const KPoints& kpoints);

}  // namespace stembridge::tb

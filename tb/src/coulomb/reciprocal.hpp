// SPDX-License-Identifier: Apache-2.0
// Reciprocal lattice vectors of lattice sums.
#pragma once

#include <Eigen/Dense>

#include "stembridge/structure/cell.hpp"

namespace stembridge::tb {

/// Vectors G != 0 with |G| <= cutoff, one of each pair G, -G. @param cutoff 1/bohr
Eigen::Matrix3Xd half_sphere(const Cell& cell, double cutoff);

}  // namespace stembridge::tb

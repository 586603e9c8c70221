// SPDX-License-Identifier: Apache-2.0
// Small helpers for the tests of structure/.
#pragma once

#include <cmath>

#include "stembridge/base/random.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::testing {

/// A copy with every coordinate moved by a normal deviate. @param sigma bohr
inline Structure rattled(Structure structure, double sigma, std::uint64_t seed) {
    Random random(seed);
    for (int i = 0; i < structure.size(); ++i)
        for (int axis = 0; axis < 3; ++axis) structure.positions(axis, i) += sigma * random.normal();
    return structure;
}

/// The atom nearest to a point. @param x, y bohr
inline int atom_near(const Structure& structure, double x, double y) {
    Eigen::Index nearest = 0;
    (structure.positions.topRows<2>().colwise() - Eigen::Vector2d(x, y))
        .colwise()
        .squaredNorm()
        .minCoeff(&nearest);
    return static_cast<int>(nearest);
}

/// An atom in the middle of a sheet that fills its cell from the origin.
inline int atom_in_the_middle(const Structure& structure) {
    const Eigen::Vector3d middle = structure.positions.rowwise().mean();
    return atom_near(structure, middle(0), middle(1));
}

}  // namespace stembridge::testing

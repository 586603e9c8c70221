// SPDX-License-Identifier: Apache-2.0
// The simulation cell: three lattice vectors and which of them repeat.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cmath>

namespace stembridge {

/// Lattice vectors are the columns of `vectors`, bohr. A cluster has no periodic direction (its vectors may
/// be zero).
struct Cell {
    Eigen::Matrix3d vectors = Eigen::Matrix3d::Zero();
    std::array<bool, 3> periodic = {false, false, false};

    Eigen::Vector3d vector(int i) const { return vectors.col(i); }
    bool is_periodic() const { return periodic[0] || periodic[1] || periodic[2]; }
    bool is_fully_periodic() const { return periodic[0] && periodic[1] && periodic[2]; }
    /// |det|, bohr^3.
    double volume() const { return std::abs(vectors.determinant()); }
    /// Columns b_i with a_i . b_j = 2 pi delta_ij, 1/bohr.
    Eigen::Matrix3d reciprocal() const { return 2 * M_PI * vectors.inverse().transpose(); }
    Eigen::Matrix3Xd fractional(const Eigen::Matrix3Xd& positions) const {
        return vectors.inverse() * positions;
    }
    Eigen::Matrix3Xd cartesian(const Eigen::Matrix3Xd& fractions) const { return vectors * fractions; }
};

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// A regular grid of points in space.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cmath>

namespace stembridge {

/// Points origin + i a + j b + k c with the steps a, b, c as columns, bohr. Point (i, j, k) has the number
/// (i n_1 + j) n_2 + k: the last index runs fastest.
struct Grid {
    Eigen::Vector3d origin = Eigen::Vector3d::Zero();
    Eigen::Matrix3d steps = Eigen::Matrix3d::Identity();
    std::array<int, 3> points = {1, 1, 1};

    Eigen::Index size() const { return Eigen::Index{points[0]} * points[1] * points[2]; }
    Eigen::Index index(int i, int j, int k) const {
        return (Eigen::Index{i} * points[1] + j) * points[2] + k;
    }
    Eigen::Vector3d point(int i, int j, int k) const { return origin + steps * Eigen::Vector3d(i, j, k); }
    /// Volume that belongs to one point, bohr^3.
    double voxel() const { return std::abs(steps.determinant()); }
};

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
#include "coulomb/reciprocal.hpp"

#include <cmath>
#include <vector>

namespace stembridge::tb {

Eigen::Matrix3Xd half_sphere(const Cell& cell, double cutoff) {
    const Eigen::Matrix3d b = cell.reciprocal();
    // |n_k| <= cutoff |a_k| / 2 pi
    Eigen::Vector3i reach;
    for (int k = 0; k < 3; ++k)
        reach(k) = static_cast<int>(std::floor(cutoff * cell.vector(k).norm() / (2 * M_PI)));
    std::vector<double> vectors;
    for (int l = 0; l <= reach(0); ++l)
        for (int m = l == 0 ? 0 : -reach(1); m <= reach(1); ++m)
            for (int n = l == 0 && m == 0 ? 1 : -reach(2); n <= reach(2); ++n) {
                const Eigen::Vector3d g = b * Eigen::Vector3d(l, m, n);
                if (g.squaredNorm() <= cutoff * cutoff) vectors.insert(vectors.end(), g.data(), g.data() + 3);
            }
    return Eigen::Map<const Eigen::Matrix3Xd>(vectors.data(), 3,
                                              static_cast<Eigen::Index>(vectors.size() / 3));
}

}  // namespace stembridge::tb

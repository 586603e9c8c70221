// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/completed_cell.hpp"

#include <Eigen/Geometry>
#include <algorithm>

namespace stembridge {

Cell completed(const Cell& cell) {
    Cell result = cell;
    for (int k = 0; k < 3; ++k)
        if (!cell.periodic[static_cast<std::size_t>(k)]) result.vectors.col(k).setZero();
    for (int k = 0; k < 3; ++k) {
        if (cell.periodic[static_cast<std::size_t>(k)]) continue;
        const Eigen::Vector3d a = result.vector((k + 1) % 3), b = result.vector((k + 2) % 3);
        Eigen::Vector3d direction = a.cross(b);
        if (direction.norm() < 1e-9 * std::max(1e-9, a.norm() * b.norm()))
            direction = Eigen::Vector3d::Unit(k);
        result.vectors.col(k) = direction.normalized();
    }
    return result;
}

}  // namespace stembridge

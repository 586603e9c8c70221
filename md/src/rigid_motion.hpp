// SPDX-License-Identifier: Apache-2.0
// Translation and rotation of everything at once: motions that carry no heat.
#pragma once

#include <Eigen/Dense>
#include <array>

#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// The motions of a structure that are held at rest.
class RigidMotion {
  public:
    /// Translation along axes on which no atom is fixed; rotation of a cluster in which nothing is fixed.
    RigidMotion(const Structure& structure, bool hold_center_of_mass, bool hold_rotation);
    /// How many coordinates' worth of motion is held.
    int count() const;
    /// Takes the held motions out of the velocities.
    void remove(const Eigen::Matrix3Xd& positions, Eigen::Matrix3Xd& velocities) const;

  private:
    Eigen::VectorXd masses_;
    std::array<bool, 3> translation_ = {false, false, false};
    int rotations_ = 0;  ///< 0, 2 (two atoms) or 3
};

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// Atoms outside of a frame, whose light falls into it.
#pragma once

#include <Eigen/Dense>
#include <vector>

namespace stembridge::ml {

/// Atoms at the rim closer to the border than this are easily missed: they are sought there as well.
inline constexpr double missed_rim_angstrom = 0.6;

/// Where the sheet goes on outside of a frame and in its outermost rim: bond by bond, each as long and in the
/// direction as those of its kind nearby.
/// @param atoms positions of what was found, pixels
/// @param carbon of these, which are C: only their bonds are continued
/// @param angstrom_per_pixel linear map to angstrom
/// @param reach_angstrom how far outside
/// @return positions, pixels
std::vector<Eigen::Vector2d> atoms_beyond_frame(const std::vector<Eigen::Vector2d>& atoms,
                                                const std::vector<char>& carbon,
                                                const Eigen::Matrix2d& angstrom_per_pixel, int width,
                                                int height, double reach_angstrom);

}  // namespace stembridge::ml

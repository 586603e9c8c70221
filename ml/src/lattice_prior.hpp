// SPDX-License-Identifier: Apache-2.0
// What neighbours say of an atom's position in a sheet.
#pragma once

#include <Eigen/Dense>

#include "stembridge/structure/detection.hpp"

namespace stembridge::ml {

/// Moves atoms to the most probable positions, given that an atom with three C around it lies in their middle
/// but for a deviation that is the same everywhere (found from the atoms themselves) and rarely far larger:
/// minimum of sum_ij (x_i - y_i) C^-1_ij (x_j - y_j) + sum_i w_i |x_i - mean of its three neighbours|^2 /
/// tau^2, where C is the covariance of the fit: sigma_i^2, and what the errors of bonded atoms have in
/// common. Strain, bending and slow distortions cost nothing; at high dose, where tau is larger than sigma,
/// nothing moves. sigma_angstrom becomes that of both.
/// @param atoms with positions in angstrom and sigma_angstrom; x_px, y_px are moved along
/// @param pixel_per_angstrom inverse of the calibration
/// @return tau in angstrom per axis; 0 when fewer than 20 atoms have three C around them and nothing was done
double apply_lattice_prior(Detections& atoms, const Eigen::Matrix2d& pixel_per_angstrom);

}  // namespace stembridge::ml

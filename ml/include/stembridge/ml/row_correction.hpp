// SPDX-License-Identifier: Apache-2.0
// What an affine map cannot straighten: the drift of the scan from row to row, from the lattice itself.
#pragma once

#include <vector>

#include "stembridge/ml/calibrate.hpp"

namespace stembridge::ml {

/// Displacement of the rows of a frame against the lattice: what stands at (x, y) belongs to (x, y) - at(y).
struct RowCorrection {
    double spacing_px = 1;                  ///< between the rows whose displacement is known
    std::vector<Eigen::Vector2d> knots_px;  ///< displacement of rows 0, spacing, 2 spacing, ...; empty = none
    double improvement = 0;  ///< share of the squared misfit of unseen lattice vectors that it takes away

    /// Displacement of a row, linear between the knots.
    Eigen::Vector2d at(double y_px) const;
    /// Root mean square of the displacement over the frame, pixels.
    double rms_px() const;
};

/// Least squares of u in v - A (m, n) = u(y_j) - u(y_i) over the vectors v between second neighbours i and j,
/// with the bending of u as penalty. How stiff u is decides cross-validation: u of one half of the columns
/// must predict the other half, for all of a row is displaced alike; where nothing is predicted, nothing is
/// corrected. The mean and the slope of u are left to the calibration.
/// @param calibration gives A  @param atoms x_px, y_px of C  @param height_px of the frame
RowCorrection row_correction(const LatticeCalibration& calibration, const Detections& atoms, int height_px);

}  // namespace stembridge::ml

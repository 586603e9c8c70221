// SPDX-License-Identifier: Apache-2.0
// Positions of atoms by fitting overlapping Gaussians to the frame.
#pragma once

#include <vector>

#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// An atom before and after the fit, in pixels.
struct FittedAtom {
    double x = 0;
    double y = 0;
    double amplitude = 0;   ///< over the local background
    double background = 0;  ///< of the window around it
    double sigma_px = 0;    ///< standard deviation of the position per axis
};

struct AtomFit {
    std::vector<FittedAtom> atoms;
    double width_px = 0;          ///< Gaussian sigma of a carbon atom
    double median_amplitude = 0;  ///< of all atoms
    double noise = 0;             ///< effective white noise per pixel that gives the errors of the positions
};

/// Least squares of I(r) = b_i + sum_j A_j exp(-|r - r_j|^2 / 2 w^2) in a window around each atom, neighbours
/// held at their last values, in sweeps; w is common to all.
/// @param start positions, pixels  @param prior_angstrom how well they are known before (Gaussian), 0 =
/// nothing
/// @param scale_angstrom per pixel
AtomFit fit_atoms(const Pixels& image, const std::vector<Eigen::Vector2d>& start, double scale_angstrom,
                  double prior_angstrom);

}  // namespace stembridge::ml

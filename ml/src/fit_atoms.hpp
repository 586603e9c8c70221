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
    double prior_px = 0;    ///< the same of the start, where there was a prior
};

/// How well positions are known before the fit, per axis: hypot(least, share_of_fit * error of the fit).
struct PositionPrior {
    double least_angstrom = 0;
    double share_of_fit = 0;
    bool known() const { return least_angstrom > 0 || share_of_fit > 0; }
};

struct AtomFit {
    std::vector<FittedAtom> atoms;
    double width_px = 0;          ///< Gaussian sigma of a carbon atom
    double median_amplitude = 0;  ///< of all atoms
    double noise = 0;             ///< effective white noise per pixel that gives the errors of the positions
};

/// Least squares of I(r) = b_i + sum_j A_j exp(-|r - r_j|^2 / 2 w^2) in a window around each atom, neighbours
/// held at their last values, in sweeps; w is common to all.
/// @param start positions, pixels  @param scale_angstrom per pixel  @param prior towards the start; none by
/// default
AtomFit fit_atoms(const Pixels& image, const std::vector<Eigen::Vector2d>& start, double scale_angstrom,
                  PositionPrior prior = {});

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Positions of atoms by fitting overlapping images of the probe to the frame.
#pragma once

#include <vector>

#include "probe_profile.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// An atom before and after the fit, in pixels.
struct FittedAtom {
    double x = 0;
    double y = 0;
    double amplitude = 0;        ///< over the local background, of this atom alone
    double amplitude_error = 0;  ///< its standard deviation
    double shared = 0;           ///< amplitude in the model: C atoms are alike
    double sigma_angstrom = 0;   ///< standard deviation of the position per axis
    double fit_angstrom = 0;     ///< the same of the fit without a prior
    double prior_angstrom = 0;   ///< the same of the start, where there was a prior
};

/// How well positions are known before the fit, per axis: hypot(least, share_of_fit * error of the fit).
struct PositionPrior {
    double least_angstrom = 0;
    double share_of_fit = 0;
    bool for_profile_alone = false;  ///< dropped once the profile has been measured
    bool known() const { return least_angstrom > 0 || share_of_fit > 0; }
};

struct AtomFit {
    std::vector<FittedAtom> atoms;
    ProbeProfile profile{0.45};   ///< how one atom looks in this frame
    double median_amplitude = 0;  ///< of all atoms
    double correlation = 1;       ///< variance of what moves an atom over that of independent pixels
    Pixels rest;                  ///< what the atoms and the slow background leave of the frame
};

/// Maximum likelihood of I(r) = B(r) + sum_j A_j p(|r - r_j|) in a window around each atom, in sweeps.
/// B is slow; p is common to all and measured on the frame; the variance of a pixel is a linear function of
/// its expected brightness, as Poisson's is for any gain and black level, and is measured on the frame. The
/// amplitudes of C are drawn to their common one as far as their measured spread says; others are free.
/// @param start positions, pixels  @param angstrom_per_pixel in which the probe is round
/// @param prior towards the start; none by default
/// @param free_levels each window has a level of its own, as in the glow of contamination: for starts that
/// miss atoms
AtomFit fit_atoms(const Pixels& image, const std::vector<Eigen::Vector2d>& start,
                  const Eigen::Matrix2d& angstrom_per_pixel, PositionPrior prior = {},
                  bool free_levels = false);

}  // namespace stembridge::ml

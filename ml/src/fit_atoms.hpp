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
    double fit_angstrom = 0;     ///< the same of the fit alone
    double start_angstrom = 0;   ///< the same of a known start
};

/// What is known of starts before the fit: their error per axis, (least + share_of_fit * that of the fit) *
/// looseness of the atom. It is correlated with the fit's, as both see the same noise.
struct KnownStarts {
    std::vector<double> looseness;  ///< of the first ones; none = all are free from the beginning
    double least_angstrom = 0;
    double share_of_fit = 0;
    double correlation = 0;
    bool combined = true;  ///< with the fit in the result; false: they only help to measure the profile
    std::size_t count() const { return looseness.size(); }
    double error(std::size_t atom, double fit_angstrom) const {
        return (least_angstrom + share_of_fit * fit_angstrom) * looseness[atom];
    }
};

struct AtomFit {
    std::vector<FittedAtom> atoms;
    ProbeProfile profile{0.45};   ///< how one atom looks in this frame
    double median_amplitude = 0;  ///< of all atoms
    double correlation = 1;       ///< variance of what moves an atom over that of independent pixels
    Pixels background;            ///< slow, under the atoms
    double usual_background = 0;  ///< outside of the glow of contamination
    Pixels rest;                  ///< what the atoms and the background leave of the frame
};

/// Maximum likelihood of I(r) = B(r) + sum_j A_j p(|r - r_j|) in a window around each atom, in sweeps.
/// B is slow; p is common to all and measured on the frame; the variance of a pixel is a linear function of
/// its expected brightness, as Poisson's is for any gain and black level, and is measured on the frame. The
/// amplitudes of C are drawn to their common one as far as their measured spread says; others are free.
/// @param start positions, pixels  @param angstrom_per_pixel in which the probe is round
/// @param known of the starts; nothing by default
/// @param free_levels each window has a level of its own, as in the glow of contamination: for starts that
/// miss atoms
AtomFit fit_atoms(const Pixels& image, const std::vector<Eigen::Vector2d>& start,
                  const Eigen::Matrix2d& angstrom_per_pixel, const KnownStarts& known = {},
                  bool free_levels = false);

}  // namespace stembridge::ml

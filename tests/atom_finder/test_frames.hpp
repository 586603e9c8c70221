// SPDX-License-Identifier: Apache-2.0
// Fifty simulated frames that no network was trained on: doses, pixel sizes, contrasts and distortions of
// real frames, contamination, Si, Cr, vacancies; with their truth.
#pragma once

#include <string>
#include <vector>

#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::atom_finder {

/// Beam electrons per square angstrom of a real frame: 30 pA and 10 us per pixel of 0.104 angstrom.
inline constexpr double real_dose = 1.73e5;

/// How one frame of the set is made.
struct FrameRecipe {
    std::string group;  ///< frames that share a line of the report
    double dose = real_dose;
    double pixel_angstrom = 0.104;
    double hollow_to_peak = 0.62;  ///< 0 = ideal probe: no black level, no tail
    double side_angstrom = 34;
    double anisotropy = 0;
    double line_jitter_angstrom = 0;
    double noise_blur_angstrom = 0;
    double contamination = 0;
    bool chromium = false;  ///< every third of the heavy atoms is Cr instead of Si
    bool grain_boundary = false;
    std::uint64_t seed = 0;
};

/// The fifty recipes; the same ones every time.
/// @param set other frames of the same kinds, to adjust things on: never 0
std::vector<FrameRecipe> frame_recipes(std::uint64_t set = 0);

/// Probe, scan and detector of a recipe.
ml::SimulationOptions simulation_options(const FrameRecipe& recipe);

/// The frame. Its metadata give a pixel size that is 3 % too large where the scan is distorted.
ml::SimulatedFrame make_frame(const FrameRecipe& recipe);

/// Cramer-Rao bound of the position of an isolated C atom on the black level, per axis, angstrom:
/// 1 / sigma^2 = sum over pixels of (dI/dx)^2 / I.
double isolated_bound(const FrameRecipe& recipe);

/// The same for an atom inside the perfect sheet, whose neighbours shine on it and whose positions are
/// unknown as well.
double sheet_bound(const FrameRecipe& recipe);

}  // namespace stembridge::atom_finder

// SPDX-License-Identifier: Apache-2.0
// What the fit of the positions takes a frame for: atoms that look alike, a slow background, noise.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "fit_atoms.hpp"

namespace stembridge::ml {

/// The pixels around an atom that tell of it.
inline constexpr double window_angstrom = 1.5;
/// How well the place of an atom outside of the frame is known before its light is looked at.
inline constexpr double beyond_error_angstrom = 0.06;
/// No atom is farther than this from its start.
inline constexpr double farthest_angstrom = 0.6;
/// Brightness over that of C from which an atom outshines its neighbours: what its image lacks in the model
/// pulls at them.
inline constexpr double outshining = 2.5;

/// I(r) = B(r) + sum_j A_j p(|S (r - r_j)|), r in pixels, S r in angstrom; the variance of a pixel is linear
/// in I. Everything but the frame itself is an estimate, which the sweeps of the fit improve.
struct FrameModel {
    using Vector = Eigen::Vector2d;

    /// The first guess: a narrow profile, and of each start the brightness over its surroundings.
    /// @param frame must outlive the model  @param starts positions, pixels
    /// @param angstrom_per_pixel in which the probe is round, S
    FrameModel(const Pixels& frame, const std::vector<Vector>& starts,
               const Eigen::Matrix2d& angstrom_per_pixel, bool levels_are_free);

    /// Calls action(row, column, d, r2) for the pixels within a radius (angstrom) of a position; d from there
    /// in pixels, r2 = |S d|^2 in angstrom^2.
    template <class Action>
    void window(double x, double y, double radius, const Action& action) const {
        const double reach = radius / smallest_scale;
        const int x0 = std::max(0, static_cast<int>(std::ceil(x - reach))),
                  y0 = std::max(0, static_cast<int>(std::ceil(y - reach)));
        const int x1 = std::min(static_cast<int>(image.cols()) - 1, static_cast<int>(std::floor(x + reach)));
        const int y1 = std::min(static_cast<int>(image.rows()) - 1, static_cast<int>(std::floor(y + reach)));
        for (int row = y0; row <= y1; ++row)
            for (int column = x0; column <= x1; ++column) {
                const Vector d(column - x, row - y);
                const double r2 = d.dot(metric * d);
                if (r2 <= radius * radius) action(row, column, d, r2);
            }
    }

    /// Adds the image of an atom, or takes it away (sign = -1).
    void add(Pixels& target, const FittedAtom& atom, double sign) const {
        window(atom.x, atom.y, ProbeProfile::reach_angstrom,
               [&](int row, int column, const Vector&, double r2) {
                   target(row, column) += static_cast<float>(sign * atom.shared * profile.value(r2));
               });
    }
    /// The model anew, from the images of all atoms.
    void render();

    /// 1 / variance of a pixel whose expectation is given.
    double weight(double brightness) const {
        return 1 / std::max(variance[0] + variance[1] * brightness, variance_floor);
    }

    std::span<const FittedAtom> found_atoms() const { return std::span(atoms).first(found); }
    double median_amplitude() const;
    double median_error() const;  ///< of the amplitudes
    /// Whether an atom lies in the glow of contamination, where the background is rough.
    bool in_glow(const FittedAtom& atom) const;
    /// Whether the brightness is that of C within its errors; what is outside is taken for C.
    bool like_carbon(std::size_t i) const;
    /// What is known of the brightness of a C beforehand, in the units of normal equations of independent
    /// pixels.
    double carbon_information() const { return correlation / std::pow(carbon_spread * typical, 2); }

    /// The level that most of the background has.
    void measure_background();
    /// Relative spread of the brightness of C beyond its errors.
    void measure_carbon_spread();
    /// Variance of a pixel as a line over its expected brightness, from what the model leaves.
    void measure_variance();
    /// The filter that moves an atom, sum w dp/ds (I - model), applied in the hollows: its variance over that
    /// of independent pixels. There the fit takes little of the noise away, and what the model lacks is
    /// symmetric and gives nothing.
    void measure_correlation();

    const Pixels& image;
    std::vector<Vector> start;               ///< of what was found, then of what is beyond the frame; pixels
    const std::size_t found = start.size();  ///< of these
    Eigen::Matrix2d map;                     ///< S
    Eigen::Matrix2d metric;                  ///< S^T S
    double scale;                            ///< mean angstrom per pixel
    double smallest_scale = 1;
    bool free_levels;                      ///< each window has a level of its own
    ProbeProfile profile{0.45};            ///< p, at first of this width
    std::vector<FittedAtom> atoms;         ///< of the starts
    Pixels model, background;              ///< sum_j A_j p, B
    double typical = 0;                    ///< brightness of most atoms: of C
    double carbon_spread = 0;              ///< relative, of the brightness of C; 0 = not known
    double usual_background = 0;           ///< outside of glow
    std::array<double, 2> variance{1, 0};  ///< of a pixel: at I = 0, and its slope
    double variance_floor = 1;
    double correlation = 1;  ///< variance of what moves an atom over that of independent pixels
};

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// What found atoms are worth against the truth: hits, positions, predicted errors, elements, probabilities.
#pragma once

#include <array>
#include <vector>

#include "stembridge/ml/simulate_image.hpp"
#include "stembridge/structure/detection.hpp"

namespace stembridge::atom_finder {

/// Sums over one frame or several. A hit is within 0.5 angstrom, closest pairs first. Truth that is covered
/// or within 0.6 angstrom of the border counts neither way, nor does what is found there. Errors of positions
/// are those of C at least 2 angstrom from the border: atoms outside, which nobody can fit, shine on those
/// nearer.
struct Measures {
    int hits = 0, missed = 0, false_alarms = 0;
    double squares = 0;        ///< of the errors of C per axis, angstrom^2
    double bound_squares = 0;  ///< of the bound of an isolated C, for the same atoms
    double sheet_bound_squares = 0;
    double pulls = 0;   ///< squares of error / predicted error, per axis
    int carbons = 0;    ///< behind the three lines above
    int predicted = 0;  ///< of them, those with a predicted error
    int silicon = 0, silicon_right = 0;
    int carbon_called_silicon = 0;  ///< C hit and called Si
    int false_silicon = 0;          ///< Si where there is no atom
    int chromium = 0, chromium_unknown = 0, unknown_otherwise = 0;
    double seconds = 0;
    int frames = 0;

    /// Detections by their probability, ten equal bins: number, sum of probabilities, number that are right.
    struct Bin {
        double count = 0, probability = 0, right = 0;
    };
    std::array<Bin, 10> bins{};

    double precision() const { return ratio(hits, hits + false_alarms); }
    double recall() const { return ratio(hits, hits + missed); }
    double f1() const { return ratio(2.0 * hits, 2.0 * hits + missed + false_alarms); }
    double rms_angstrom() const;
    double rms_over_bound() const;
    double rms_over_sheet_bound() const;
    double pull() const;
    double silicon_recall() const { return ratio(silicon_right, silicon); }
    /// Mean over detections of |share that is right - probability| of their bin.
    double calibration_error() const;
    static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

    Measures& operator+=(const Measures& other);
};

/// @param bound, sheet_bound of the positions, angstrom
Measures measure(const Detections& found, const ml::SimulatedFrame& frame, double bound, double sheet_bound);

}  // namespace stembridge::atom_finder

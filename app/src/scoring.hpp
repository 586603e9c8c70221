// SPDX-License-Identifier: Apache-2.0
// How well atoms were found, where the truth is known.
#pragma once

#include <cmath>
#include <filesystem>
#include <vector>

#include "stembridge/structure/detection.hpp"

namespace stembridge::app {

/// A true position in a frame.
struct KnownAtom {
    double x_px = 0;
    double y_px = 0;
    bool covered = false;  ///< hidden: neither a hit nor a miss
};

/// Hits and misses.
struct Score {
    int n_found = 0;  ///< detections that count
    int n_truth = 0;  ///< true atoms that count
    int n_matched = 0;
    double rms_px = 0;  ///< distance of matched pairs
    double precision() const { return n_found == 0 ? 0 : static_cast<double>(n_matched) / n_found; }
    double recall() const { return n_truth == 0 ? 0 : static_cast<double>(n_matched) / n_truth; }
    double f1() const { return n_found + n_truth == 0 ? 0 : 2.0 * n_matched / (n_found + n_truth); }
};

/// Pairs detections with true atoms, the closest pairs first, each used once. Detections on a covered atom do
/// not count.
/// @param tolerance_px largest distance of a pair
Score score_detections(const Detections& found, const std::vector<KnownAtom>& truth, double tolerance_px);

/// True positions from a CSV file with the columns x_px, y_px and optionally covered.
/// @throw FileError when a column is missing or a value is malformed
std::vector<KnownAtom> read_known_atoms(const std::filesystem::path& path);

}  // namespace stembridge::app

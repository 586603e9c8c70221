// SPDX-License-Identifier: Apache-2.0
// Atoms found in a frame.
#pragma once

#include <vector>

namespace stembridge {

/// One atom found in a frame.
struct Detection {
    double x_px = 0;        ///< column in the frame, sub-pixel
    double y_px = 0;        ///< row in the frame, sub-pixel
    double x_angstrom = 0;  ///< calibrated (lattice-corrected) position
    double y_angstrom = 0;
    int atomic_number = 0;   ///< 6 or 14; 0 = unknown species
    double probability = 0;  ///< of the class
    double spread = 0;  ///< standard deviation of the probability over an ensemble; 0 for a single network
    double sigma_angstrom = 0;  ///< predicted standard deviation of the position per axis
    int votes = 1;              ///< networks of the ensemble that find this atom with this class
};

using Detections = std::vector<Detection>;

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Whether a frame is one of graphene at all, and what found in it can be believed.
#pragma once

#include <string>
#include <vector>

#include "stembridge/ml/calibrate.hpp"

namespace stembridge::ml {

/// How sure it is that a frame shows a single sheet of graphene as it was understood; 0 to 1.
struct FrameConfidence {
    double value = 1;       ///< product of those below
    double lattice = 1;     ///< the lattice's waves stand out of the spectrum
    double scale = 1;       ///< the lattice is no more distorted than scans are
    double neighbours = 1;  ///< atoms have two or three neighbours at the distance of bonds
    double density = 1;     ///< as many atoms as the area of clean sheet holds
    double brightness = 1;  ///< C atoms are equally bright
    /// What speaks against graphene, one clause for each doubt.
    std::vector<std::string> doubts;
};

/// @param atoms with calibrated positions  @param amplitudes of the atoms and their errors
/// @param sheet 1 in clean graphene
/// @param found the lattice in the frame; peak_to_background 0 when there is none
FrameConfidence frame_confidence(const Detections& atoms, const std::vector<double>& amplitudes,
                                 const std::vector<double>& amplitude_errors, const Pixels& sheet,
                                 const LatticeCalibration& found);

}  // namespace stembridge::ml

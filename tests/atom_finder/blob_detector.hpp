// SPDX-License-Identifier: Apache-2.0
// Atoms as most programs of the field take them from a network: centres of thresholded blobs.
#pragma once

#include "stembridge/ml/network.hpp"
#include "stembridge/structure/detection.hpp"

namespace stembridge::atom_finder {

/// Each class's probability is cut at one half; the unweighted mean of the pixels of a connected region
/// (sides, not corners) is an atom of that class.
/// @param angstrom_per_pixel of the frame, as given (no calibration on the lattice)
/// @source method of Ziatdinov et al., Nat. Mach. Intell. 4, 1101 (2022)
Detections blob_centres(const Image& frame, double angstrom_per_pixel, ml::SegmentationNetwork& network);

}  // namespace stembridge::atom_finder

// SPDX-License-Identifier: Apache-2.0
// What lies where in a frame: the clean sheet, contamination, vacuum.
#pragma once

#include "stembridge/ml/calibrate.hpp"

namespace stembridge::ml {

/// Two maps of 0 and 1, (height, width) of the frame. A pixel is contaminated, vacuum, or sheet.
struct FrameRegions {
    Pixels clean;   ///< 1 where atoms can be trusted: no contamination
    Pixels vacuum;  ///< 1 in large holes and beyond the edge of the sheet: clean, but no atoms
    Pixels sheet() const { return clean * (1.0f - vacuum); }
};

/// Contamination is brighter than the sheet over more than a cluster of Si. Vacuum is darker than the sheet
/// and shows no lattice, over more than 60 square angstrom: holes of a few atoms belong to the sheet.
/// @param lattice in the frame; without one (lattice_px = 0) the median of the frame counts as the sheet, and
/// no vacuum is told from it
/// @throw InputError for a pixel that is no number, a constant frame, and sides below 8 pixels
FrameRegions frame_regions(const Image& image, const LatticeCalibration& lattice);

}  // namespace stembridge::ml

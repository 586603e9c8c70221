// SPDX-License-Identifier: Apache-2.0
// Atoms without a network: maxima of the smoothed frame. The baseline of every report.
#pragma once

#include <vector>

#include "stembridge/ml/frame_regions.hpp"

namespace stembridge::ml {

/// Lengths and thresholds of the classical detector.
struct ClassicalOptions {
    double smoothing_angstrom = 0.30;        ///< Gaussian sigma before maxima are looked for
    double background_angstrom = 3.0;        ///< Gaussian sigma of the local background
    double minimum_distance_angstrom = 0.8;  ///< of two atoms
    double minimum_contrast = 0.25;          ///< of a maximum, in units of the median carbon atom
};

/// How bright atoms are over their background, and the error of that; one entry per atom.
struct Brightness {
    std::vector<double> amplitudes;
    std::vector<double> errors;
};

/// Maxima of the background-subtracted, smoothed frame in the sheet, then fitted Gaussians; classes from a
/// mixture of two Gaussians of the intensity.
/// @param regions of frame_regions(), the size of the image
/// @throw InputError when no maximum is left, and for regions of another size
Detections classical_detector(const Image& image, const LatticeCalibration& calibration,
                              const FrameRegions& regions, const ClassicalOptions& options = {},
                              const Context& context = {}, Brightness* brightness = nullptr);

/// Sorts atoms by rows, then columns, and their brightness with them.
void sort_in_reading_order(Detections& atoms, Brightness& brightness);

/// Atoms brighter than any Si become unknown (atomic number 0): brighter than 1.75 times the usual Si, which
/// is the median of the Si found where there are three (between 3 and 5.5 times a C), else 4.6 times a C.
/// @param amplitudes of the atoms over their background
void mark_unknown(Detections& atoms, const std::vector<double>& amplitudes);

}  // namespace stembridge::ml

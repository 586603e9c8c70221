// SPDX-License-Identifier: Apache-2.0
// The frame with the atoms found drawn over it, as a plain PNG.
#pragma once

#include <filesystem>

#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::app {

/// Writes the frame with a ring of 0.35 angstrom around every atom: C blue, Si orange, unknown magenta; at
/// twice its size, or larger where the rings would be too small to see. Scale bar and legend are below it.
/// @param angstrom_per_px positive  @throw FileError
void write_overlay(const std::filesystem::path& path, const Image& image, const Detections& atoms,
                   double angstrom_per_px);

}  // namespace stembridge::app

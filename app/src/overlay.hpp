// SPDX-License-Identifier: Apache-2.0
// The frame with the atoms found drawn over it, as a plain PNG.
#pragma once

#include <filesystem>

#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::app {

/// Writes the frame at twice its size with a ring around every atom: C blue, Si orange, unknown magenta.
/// @throw FileError
void write_overlay(const std::filesystem::path& path, const Image& image, const Detections& atoms);

}  // namespace stembridge::app

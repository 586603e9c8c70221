// SPDX-License-Identifier: Apache-2.0
// Atoms found in a frame, as a table.
#pragma once

#include <filesystem>

#include "stembridge/structure/detection.hpp"

namespace stembridge::io {

/// Writes x_px,y_px,x_angstrom,y_angstrom,element,probability,spread,sigma_angstrom; an unknown element is
/// "X".
/// @throw FileError
void write_detections_csv(const std::filesystem::path& path, const Detections& detections);

/// Reads such a table. @throw FileError (file:line) when it is missing or malformed
Detections read_detections_csv(const std::filesystem::path& path);

}  // namespace stembridge::io

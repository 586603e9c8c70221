// SPDX-License-Identifier: Apache-2.0
// A micrograph.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <string>

namespace stembridge {

/// Row-major pixels as stored: pixels(row, column).
using Pixels = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One frame. Pixel (0, 0) is the centre of the first pixel; x runs along columns, y along rows.
struct Image {
    Pixels pixels;                              ///< (height, width), arbitrary intensity unit
    std::optional<double> pixel_size_angstrom;  ///< from the file's metadata, if it has one
    std::string source;                         ///< file and frame, for messages and provenance

    int height() const { return static_cast<int>(pixels.rows()); }
    int width() const { return static_cast<int>(pixels.cols()); }
};

}  // namespace stembridge

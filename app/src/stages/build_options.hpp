// SPDX-License-Identifier: Apache-2.0
// From the [build] table to the options of the builders.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <vector>

#include "stembridge/io/config.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/structure/detection.hpp"

namespace stembridge::app {

/// The linear map from pixels to angstrom that the detections carry. It is the same for all of them, so least
/// squares recovers it exactly.
class PixelMap {
  public:
    explicit PixelMap(const Detections& atoms);
    /// Position in bohr of a pixel.
    Eigen::Vector2d operator()(double x_px, double y_px) const;
    /// Pixel of a position in bohr.
    Eigen::Vector2d pixel(const Eigen::Vector2d& position) const;

  private:
    Eigen::Matrix<double, 2, 3> map_;
};

/// @param pixels of the frame, when there is one  @param uncertainty (n) of each atom, or empty
/// @throw InputError naming the key that is missing or does not fit
BuildOptions build_options(const io::Config& config, const std::optional<PixelMap>& pixels,
                           const std::vector<double>& uncertainty);

}  // namespace stembridge::app

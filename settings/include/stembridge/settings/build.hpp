// SPDX-License-Identifier: Apache-2.0
// The stage build: from detected atoms, or a structure, and the table [build] to a cell that can be
// simulated.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/io/config.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::settings {

/// The keys of [build].
io::Schema build_keys();

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

/// The atoms to build from, with where each comes from and how far it is trusted.
struct BuildStart {
    Derived atoms;  ///< origin counts in the detections, or in the structure given
    Detections detections;
    std::vector<double> probability, uncertainty;  ///< (n) or empty
    std::optional<PixelMap> pixels;                ///< of detections
    std::optional<double> contaminated_share;      ///< of the frame; empty when the mask was not looked at
};

/// Takes out what the configuration does not trust. @param trusted (height, width) of the frame, below 0.5 =
/// contamination; empty = not known, none is left out  @throw InputError when nothing is left
BuildStart build_start(const io::Config& config, const Detections& detections, const Pixels& trusted,
                       BuildReport& report);
/// The same from a structure.
BuildStart build_start(const io::Config& config, const Structure& structure, BuildReport& report);

/// @param config with build_keys() and calculator.charge; `origin` of the result counts in start.atoms
/// @param patch cut out instead of the one that the configuration names
/// @throw InputError naming the key that is missing or does not fit
Derived build(const io::Config& config, const BuildStart& start, BuildReport& report,
              const Patch* patch = nullptr);

/// What was made and changed, as JSON.
std::string build_summary(const io::Config& config, const BuildStart& start, const Derived& built,
                          const BuildReport& report);

}  // namespace stembridge::settings

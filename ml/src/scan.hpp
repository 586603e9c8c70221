// SPDX-License-Identifier: Apache-2.0
// Where the simulated beam is: affine map, drift, fly-back, jitter and tears of lines.
#pragma once

#include "stembridge/base/random.hpp"
#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::ml {

/// Where the beam is for each pixel, and where a scene position is in the frame.
class Scan {
  public:
    Scan(const ScanOptions& options, Random& random);

    /// Scene position of the beam at a pixel.
    Eigen::Vector2d beam(int x, int y) const;

    /// Frame position of a scene position: the fixed point of p = L^-1 r - displacement(p).
    Eigen::Vector2d pixel(const Eigen::Vector2d& position) const;

    const Eigen::Matrix2d& linear() const { return linear_; }
    /// Largest displacement of a line, pixels.
    double largest_jitter() const { return jitter_.cwiseAbs().maxCoeff(); }

  private:
    Eigen::Vector2d scene(const Eigen::Vector2d& pixel) const {
        return centre_scene_ + linear_ * (pixel - centre_px_);
    }
    /// Displacement of the beam, in pixels, that changes slowly: drift with a gentle curve, fly-back.
    Eigen::Vector2d smooth(const Eigen::Vector2d& pixel) const;
    void shake_lines(Random& random);
    void tear_lines(Random& random);

    ScanOptions scan_;
    Eigen::Matrix2d linear_, inverse_;
    Eigen::Vector2d centre_px_, centre_scene_;
    Eigen::MatrixXd jitter_, mean_jitter_;
};

}  // namespace stembridge::ml

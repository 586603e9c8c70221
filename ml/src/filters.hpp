// SPDX-License-Identifier: Apache-2.0
// Small image operations shared by the simulator, the calibration and the detectors.
#pragma once

#include <vector>

#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

/// Convolution with a Gaussian of standard deviation sigma_px, edges continued; sigma <= 0 copies.
Pixels gaussian_blur(const Pixels& image, double sigma_px);

/// Local mean that only looks where weight is positive: blur(image * weight) / blur(weight).
Pixels masked_blur(const Pixels& image, const Pixels& weight, double sigma_px);

/// Value between pixels, bilinear, edges continued.
double bilinear(const Pixels& image, double x, double y);

/// Value between pixels by Catmull-Rom splines, edges continued.
double bicubic(const Pixels& image, double x, double y);

/// Quantile 0..1 of values (which are reordered); 0 when there are none.
double quantile(std::vector<float>& values, double share);

/// Values of image where mask > 0.5; everywhere when the mask is empty. At most about 100,000 of them.
std::vector<float> masked_values(const Pixels& image, const Pixels& mask);

/// Replaces single pixels that stand out of all their neighbours, as hot and dead ones of a detector do, by
/// the median of those. An atom, which covers several pixels, stays.
/// @return how many; nothing is done where more than a thousandth of the pixels stand out like that
int replace_outliers(Pixels& image);

/// A maximum of an image, on a pixel and refined by a parabola.
struct Maximum {
    double x = 0;
    double y = 0;
    double value = 0;
};

/// Pixels that are not smaller than their 8 neighbours, at least min_distance_px apart (brighter ones first),
/// above a threshold.
std::vector<Maximum> local_maxima(const Pixels& image, double threshold, double min_distance_px);

/// Points of a plane sorted into square bins, to find neighbours.
class NeighborBins {
  public:
    /// @param reach largest distance that will be asked for
    NeighborBins(const std::vector<Eigen::Vector2d>& points, double reach);
    /// Indices of the points within reach of a position.
    void within(const Eigen::Vector2d& position, double distance, std::vector<int>& result) const;

  private:
    std::size_t bin_of(int row, int column) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
               static_cast<std::size_t>(column);
    }
    const std::vector<Eigen::Vector2d>& points_;
    double size_;
    Eigen::Vector2d low_;
    int columns_ = 1;
    int rows_ = 1;
    std::vector<std::vector<int>> bins_;
};

/// @throw InputError naming the image when a pixel is NaN or infinite, or the frame is constant or too small
void require_usable(const Image& image, int smallest_side);

}  // namespace stembridge::ml

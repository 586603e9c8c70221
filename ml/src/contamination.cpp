// SPDX-License-Identifier: Apache-2.0
#include "contamination.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "filters.hpp"
#include "fourier.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double fwhm_per_sigma = 2.3548200450309493;

/// Gaussian random field with power ~ 1 / f^(2 exponent), standard deviation 1, on a coarse grid.
Pixels cloud(int height, int width, int coarse, double exponent, Random& random) {
    const int size = good_fourier_size(std::max({height, width}) / coarse + 2);
    ComplexPixels spectrum(size, size);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const double fx = std::min(x, size - x), fy = std::min(y, size - y);
            const double f = std::hypot(fx, fy);
            const double amplitude = f > 0 ? std::pow(f, -exponent) : 0;
            const double re = random.normal(), im = random.normal();
            spectrum(y, x) = {static_cast<float>(amplitude * re), static_cast<float>(amplitude * im)};
        }
    Pixels field = inverse_fourier_transform(spectrum).real();
    field = (field - field.mean()) / std::sqrt((field - field.mean()).square().mean());
    Pixels result(height, width);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            result(y, x) = static_cast<float>(
                bilinear(field, static_cast<double>(x) / coarse, static_cast<double>(y) / coarse));
    return result;
}

}  // namespace

Pixels contamination_map(const SimulationOptions& options, Random& random) {
    const ScanOptions& scan = options.scan;
    const ContaminationOptions& dirt = options.contamination;
    Pixels map = Pixels::Zero(scan.height, scan.width);
    if (dirt.coverage <= 0) return map;
    const int coarse = std::max(1, static_cast<int>(0.4 / scan.pixel_size_angstrom));
    // The covered side: a tilted plane plus a cloud, cut at the height that covers the wanted share.
    Pixels height =
        cloud(scan.height, scan.width, coarse, 1.6, random) * static_cast<float>(0.5 * dirt.roughness);
    const double side = 0.5 * std::hypot(scan.width, scan.height);
    const double cosine = std::cos(dirt.direction_deg * pi / 180),
                 sine = std::sin(dirt.direction_deg * pi / 180);
    for (int y = 0; y < scan.height; ++y)
        for (int x = 0; x < scan.width; ++x)
            height(y, x) +=
                static_cast<float>((1 - dirt.roughness) *
                                   (cosine * (x - 0.5 * scan.width) + sine * (y - 0.5 * scan.height)) / side);
    std::vector<float> sorted(height.data(), height.data() + height.size());
    const float cut = static_cast<float>(quantile(sorted, 1 - std::min(dirt.coverage, 1.0)));
    const double border_px = dirt.border_angstrom / scan.pixel_size_angstrom;
    const Pixels border = gaussian_blur((height > cut).cast<float>(), border_px / fwhm_per_sigma);
    // Inside it: a 1/f cloud of thickness with bright speckle of the probe's size.
    const Pixels thickness = (0.45f * cloud(scan.height, scan.width, coarse, 1.2, random)).exp();
    Pixels speckle(scan.height, scan.width);
    for (Eigen::Index i = 0; i < speckle.size(); ++i) speckle.data()[i] = static_cast<float>(random.normal());
    speckle = gaussian_blur(speckle, 0.65 / scan.pixel_size_angstrom);
    speckle /= std::sqrt(std::max(speckle.square().mean(), 1e-20f));
    const Pixels bright = (static_cast<float>(dirt.speckle) * speckle).exp();
    map = static_cast<float>(dirt.level) * border * thickness * bright;
    return map;
}

}  // namespace stembridge::ml

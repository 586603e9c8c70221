// SPDX-License-Identifier: Apache-2.0
// Background-subtracted, smoothed maxima; a mixture of Gaussians tells Si from C.
#include "stembridge/ml/classical_detector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>

#include "filters.hpp"
#include "fit_atoms.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::ml {
namespace {

/// A straight border is blurred to 0.84 at one standard deviation in the vacuum: so far from the sheet atoms
/// are looked for.
constexpr double border_angstrom = 0.7;
constexpr float inside_border = 0.84f;

/// Two normal distributions of one number, the second one brighter, by expectation and maximisation.
class Mixture {
  public:
    explicit Mixture(const std::vector<float>& values) {
        std::vector<float> copy = values;
        const double median = quantile(copy, 0.5);
        mean_ = {median, 4 * median};
        deviation_ = {std::max(1e-12, 0.74 * (quantile(copy, 0.75) - quantile(copy, 0.25))), median + 1e-12};
        const double floor = deviation_[0];
        share_ = {0.99, 0.01};
        for (int iteration = 0; iteration < 30; ++iteration) {
            std::array<double, 2> weight{}, sum{}, squares{};
            for (const float v : values) {
                const double second = bright(v);
                for (int k = 0; k < 2; ++k) {
                    const double p = k == 1 ? second : 1 - second;
                    weight[k] += p;
                    sum[k] += p * v;
                }
            }
            if (weight[1] < 0.5) {
                share_[1] = 0.5 / static_cast<double>(values.size());
                break;
            }
            for (int k = 0; k < 2; ++k) mean_[k] = sum[k] / weight[k];
            for (const float v : values) {
                const double second = bright(v);
                squares[0] += (1 - second) * std::pow(v - mean_[0], 2);
                squares[1] += second * std::pow(v - mean_[1], 2);
            }
            // Si is never closer to C than 2.2 times its brightness: the second component may not eat the
            // first.
            mean_[1] = std::max(mean_[1], 2.2 * mean_[0]);
            deviation_[0] = std::max(0.5 * floor, std::sqrt(squares[0] / weight[0]));
            deviation_[1] = std::max(floor, std::sqrt(squares[1] / weight[1]));
            share_ = {weight[0] / static_cast<double>(values.size()),
                      weight[1] / static_cast<double>(values.size())};
        }
    }
    /// Probability that a value belongs to the brighter component.
    double bright(double value) const {
        if (value < mean_[0]) return 0;
        if (value > mean_[1]) return 1;
        std::array<double, 2> density;
        for (int k = 0; k < 2; ++k)
            density[k] =
                share_[k] / deviation_[k] * std::exp(-0.5 * std::pow((value - mean_[k]) / deviation_[k], 2));
        return density[1] / std::max(density[0] + density[1], 1e-300);
    }

  private:
    std::array<double, 2> mean_, deviation_, share_;
};

}  // namespace

void sort_in_reading_order(Detections& atoms, Brightness& brightness) {
    std::vector<std::size_t> order(atoms.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tuple(atoms[a].y_px, atoms[a].x_px, a) < std::tuple(atoms[b].y_px, atoms[b].x_px, b);
    });
    Detections sorted;
    Brightness moved;
    for (const std::size_t i : order) {
        sorted.push_back(atoms[i]);
        moved.amplitudes.push_back(brightness.amplitudes[i]);
        moved.errors.push_back(brightness.errors[i]);
    }
    atoms = std::move(sorted);
    brightness = std::move(moved);
}

void mark_unknown(Detections& atoms, const std::vector<double>& amplitudes) {
    std::vector<float> carbon, silicon;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (atoms[i].atomic_number == 6) carbon.push_back(static_cast<float>(amplitudes[i]));
        if (atoms[i].atomic_number == 14) silicon.push_back(static_cast<float>(amplitudes[i]));
    }
    const double unit = quantile(carbon, 0.5);
    if (unit <= 0) return;
    // Cr is 2.5 times a Si. Over C, Cr is 10 (medium angles) to 15 (high angles) and Si 4.2 to 5.2; in
    // published frames, whose black level is unknown, Si is seen at up to 9.4: without Si to compare with,
    // the border is 10.
    constexpr double usual = 5.7, least = 3.0, most = 6.0, brighter = 1.75;
    const double si = silicon.size() < 3 ? usual : std::clamp(quantile(silicon, 0.5) / unit, least, most);
    for (std::size_t i = 0; i < atoms.size(); ++i)
        if (amplitudes[i] > brighter * si * unit) atoms[i].atomic_number = 0;
}

Detections classical_detector(const Image& image, const LatticeCalibration& calibration,
                              const FrameRegions& regions, const ClassicalOptions& options, const Context&,
                              Brightness* brightness) {
    require_usable(image, 16);
    for (const Pixels* map : {&regions.clean, &regions.vacuum})
        if (map->rows() != image.pixels.rows() || map->cols() != image.pixels.cols())
            throw InputError("classical detector: the regions must have the size of the image");
    const std::string where = image.source.empty() ? "image" : image.source;
    const double scale = calibration.scale_angstrom;
    const Pixels sheet = regions.sheet();
    const Pixels background = masked_blur(image.pixels, sheet, options.background_angstrom / scale);
    // The outermost atoms stand on the border of the vacuum.
    const Pixels near_sheet =
        (gaussian_blur(regions.vacuum, border_angstrom / scale) < inside_border).cast<float>();
    const Pixels smooth = (gaussian_blur(image.pixels, options.smoothing_angstrom / scale) - background) *
                          regions.clean * near_sheet;

    std::vector<Maximum> maxima = local_maxima(smooth, 0.0, options.minimum_distance_angstrom / scale);
    std::vector<float> heights;
    heights.reserve(maxima.size());
    for (const Maximum& m : maxima) heights.push_back(static_cast<float>(m.value));
    const double typical = quantile(heights, 0.5);
    std::erase_if(maxima, [&](const Maximum& m) { return m.value < options.minimum_contrast * typical; });
    if (maxima.empty()) throw InputError(fmt::format("{}: no atoms found by the classical detector", where));

    std::vector<Eigen::Vector2d> start;
    start.reserve(maxima.size());
    for (const Maximum& m : maxima) start.emplace_back(m.x, m.y);
    const AtomFit fit = fit_atoms(image.pixels, start, calibration.angstrom_per_pixel, {}, true);
    heights.clear();
    for (const Maximum& m : maxima) heights.push_back(static_cast<float>(m.value));
    const Mixture mixture(heights);
    const double deviation = 0.74 * (quantile(heights, 0.75) - quantile(heights, 0.25)) + 1e-30;

    Detections atoms;
    Brightness found;
    for (std::size_t i = 0; i < maxima.size(); ++i) {
        const FittedAtom& fitted = fit.atoms[i];
        const double silicon = mixture.bright(maxima[i].value);
        // A maximum is an atom the surer the higher it stands over half of the typical one.
        const double real =
            0.5 * std::erfc(-(maxima[i].value - 0.5 * typical) / (deviation * std::numbers::sqrt2));
        Detection atom;
        atom.x_px = fitted.x;
        atom.y_px = fitted.y;
        atom.atomic_number = silicon > 0.5 ? 14 : 6;
        atom.probability = real * std::max(silicon, 1 - silicon);
        atom.sigma_angstrom = fitted.sigma_angstrom;
        atoms.push_back(atom);
        found.amplitudes.push_back(fitted.amplitude);
        found.errors.push_back(fitted.amplitude_error);
    }
    mark_unknown(atoms, found.amplitudes);
    sort_in_reading_order(atoms, found);
    calibration.apply(atoms);
    if (brightness != nullptr) *brightness = std::move(found);
    return atoms;
}

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Augmentation: changes of a crop that leave its atoms known.
#include <algorithm>
#include <cmath>

#include "filters.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::ml {
namespace {

/// How the pixels of the new crop lie in the old one: old = centre + axes (new - middle).
struct Window {
    Eigen::Vector2d centre;
    Eigen::Matrix2d axes;
    double middle = 0;

    Eigen::Vector2d old_of(double x, double y) const {
        return centre + axes * (Eigen::Vector2d(x, y) - Eigen::Vector2d::Constant(middle));
    }
    Eigen::Vector2d new_of(const Eigen::Vector2d& old) const {
        return axes.inverse() * (old - centre) + Eigen::Vector2d::Constant(middle);
    }
};

Window random_window(int old_side, int side, const Augmentation& options, Random& random) {
    Window window;
    window.middle = 0.5 * (side - 1);
    // Half of the crops keep the noise of their pixels; the others are interpolated.
    const bool zoomed = random.uniform() < 0.5 && options.zoom[1] > options.zoom[0];
    double step = 1;
    if (zoomed) step = 1 / random.uniform(options.zoom[0], options.zoom[1]);
    step = std::min(step, static_cast<double>(old_side - 1) / (side - 1));
    const double free = static_cast<double>(old_side - 1) - step * (side - 1);
    const auto start = [&] {
        const double begin = random.uniform() * free;
        return step == 1 ? std::floor(begin + 0.5) : begin;
    };
    window.centre.x() = start() + step * window.middle;
    window.centre.y() = start() + step * window.middle;
    window.axes = step * Eigen::Matrix2d::Identity();
    if (options.flips) {
        const auto symmetry = random.below(8);
        if (symmetry & 1) window.axes.col(0) *= -1;
        if (symmetry & 2) window.axes.col(1) *= -1;
        if (symmetry & 4) window.axes.col(0).swap(window.axes.col(1));
    }
    return window;
}

/// Displacements of lines: each remembers most of that of the line before.
std::vector<double> line_jitter(int lines, double deviation, Random& random) {
    std::vector<double> result(static_cast<std::size_t>(lines), 0.0);
    double value = 0;
    for (double& line : result) {
        value = 0.7 * value + std::sqrt(1 - 0.49) * random.normal();
        line = deviation * value;
    }
    return result;
}

struct Levels {
    double low, median, high;
};
Levels levels_of(const Pixels& image, double outer) {
    std::vector<float> values = masked_values(image, {});
    const double low = quantile(values, outer), median = quantile(values, 0.5);
    return {low, median, quantile(values, 1 - outer)};
}

/// y -> y^gamma between the darkest and brightest levels; median and spread stay what they were.
void change_contrast(Pixels& image, double gamma) {
    const Levels ends = levels_of(image, 0.005), before = levels_of(image, 0.05);
    const double range = std::max(ends.high - ends.low, 1e-6);
    for (Eigen::Index i = 0; i < image.size(); ++i) {
        float& y = image.data()[i];
        const double v = std::max(0.0, (y - ends.low) / range);
        // Beyond the brightest level in a straight line: Si and contamination do not run away.
        y = static_cast<float>(v <= 1 ? std::pow(v, gamma) : 1 + gamma * (v - 1));
    }
    const Levels after = levels_of(image, 0.05);
    const double scale = (before.high - before.low) / std::max(after.high - after.low, 1e-6);
    image = (image - static_cast<float>(after.median)) * static_cast<float>(scale) +
            static_cast<float>(before.median);
}

void add_plane(Pixels& image, double slope_x, double slope_y) {
    const double n = static_cast<double>(image.rows());
    for (Eigen::Index y = 0; y < image.rows(); ++y)
        for (Eigen::Index x = 0; x < image.cols(); ++x)
            image(y, x) += static_cast<float>(slope_x * (static_cast<double>(x) / n - 0.5) +
                                              slope_y * (static_cast<double>(y) / n - 0.5));
}

void count_again(Pixels& image, double counts_per_unit, Random& random) {
    const double dark = levels_of(image, 0.005).low;
    for (Eigen::Index i = 0; i < image.size(); ++i) {
        float& y = image.data()[i];
        const double mean = std::max(0.0, y - dark) * counts_per_unit;
        y = static_cast<float>(y + (static_cast<double>(random.poisson(mean)) - mean) / counts_per_unit);
    }
}

void add_salt_and_pepper(Pixels& image, double share, Random& random) {
    const float darkest = image.minCoeff(), brightest = image.maxCoeff();
    for (Eigen::Index i = 0; i < image.size(); ++i)
        if (random.uniform() < share) image.data()[i] = random.uniform() < 0.5 ? darkest : brightest;
}

}  // namespace

int augmentation_margin_px(const Augmentation& options, int side) {
    constexpr int least = 16;  // for shifts
    return std::max(least, static_cast<int>(std::ceil((side - 1) * (1 / options.zoom[0] - 1) - 1e-9)));
}

TrainingCrop augmented(const TrainingCrop& crop, const Augmentation& options, int side, std::uint64_t seed) {
    if (crop.image.rows() < side || crop.image.cols() != crop.image.rows())
        throw InputError("augmentation: the crop is smaller than the one to be cut out of it");
    Random random(seed);
    const auto sometimes = [&](double share) { return random.uniform() < share; };
    const Window window = random_window(static_cast<int>(crop.image.rows()), side, options, random);
    std::vector<double> jitter(static_cast<std::size_t>(side), 0.0);
    const bool shaken = sometimes(options.jitter_share);
    if (shaken) jitter = line_jitter(side, random.uniform() * options.largest_jitter_px, random);

    TrainingCrop result;
    result.image.resize(side, side);
    if (crop.trusted.size() > 0) result.trusted.resize(side, side);
    const bool on_pixels = !shaken && std::abs(window.axes.determinant()) == 1;
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            const Eigen::Vector2d old = window.old_of(x + jitter[static_cast<std::size_t>(y)], y);
            const auto column = std::clamp<long>(std::lround(old.x()), 0, crop.image.cols() - 1),
                       row = std::clamp<long>(std::lround(old.y()), 0, crop.image.rows() - 1);
            result.image(y, x) = on_pixels ? crop.image(row, column)
                                           : static_cast<float>(bicubic(crop.image, old.x(), old.y()));
            if (crop.trusted.size() > 0) result.trusted(y, x) = crop.trusted(row, column);
        }
    for (const Eigen::Vector3d& atom : crop.atoms) {
        const Eigen::Vector2d p = window.new_of(atom.head<2>());
        constexpr double outside = 4;
        if (p.minCoeff() > -outside && p.maxCoeff() < side - 1 + outside)
            result.atoms.emplace_back(p.x(), p.y(), atom.z());
    }

    Pixels& image = result.image;
    if (sometimes(options.contrast_share))
        change_contrast(image,
                        std::exp(random.uniform(std::log(options.gamma[0]), std::log(options.gamma[1]))));
    const double slope_x = random.uniform(-1, 1), slope_y = random.uniform(-1, 1);
    if (options.background > 0) add_plane(image, options.background * slope_x, options.background * slope_y);
    if (sometimes(options.blur_share))
        image = gaussian_blur(image, random.uniform() * options.largest_blur_px);
    if (sometimes(options.poisson_share))
        count_again(image, options.fewest_counts * std::pow(10, random.uniform()), random);
    if (sometimes(options.gaussian_share)) {
        const double deviation = random.uniform() * options.largest_gaussian;
        for (Eigen::Index i = 0; i < image.size(); ++i)
            image.data()[i] += static_cast<float>(deviation * random.normal());
    }
    if (sometimes(options.salt_pepper_share))
        add_salt_and_pepper(image, random.uniform() * options.largest_salt_pepper, random);
    return result;
}

}  // namespace stembridge::ml

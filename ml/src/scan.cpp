// SPDX-License-Identifier: Apache-2.0
#include "scan.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;

/// Sum of sinusoids with amplitude ~ 1 / sqrt(f), standard deviation 1, as a scan generator drifts.
Eigen::ArrayXd pink_series(int length, Random& random) {
    Eigen::ArrayXd series = Eigen::ArrayXd::Zero(length);
    for (int component = 1; component <= 24; ++component) {
        const double frequency = 0.5 * std::pow(component / 24.0, 2);
        const double phase = random.uniform(0, 2 * pi), amplitude = random.normal() / std::sqrt(frequency);
        for (int i = 0; i < length; ++i) series(i) += amplitude * std::sin(2 * pi * frequency * i + phase);
    }
    const double deviation = std::sqrt((series - series.mean()).square().mean());
    return deviation > 0 ? Eigen::ArrayXd((series - series.mean()) / deviation) : series;
}

}  // namespace

Scan::Scan(const ScanOptions& options, Random& random) : scan_(options) {
    const double angle = scan_.anisotropy_angle_deg * pi / 180;
    const Eigen::Matrix2d axes = Eigen::Rotation2Dd(angle).toRotationMatrix();
    const double stretch = std::sqrt(1 + scan_.anisotropy);
    const Eigen::Matrix2d scales = Eigen::Vector2d(stretch, 1 / stretch).asDiagonal();
    Eigen::Matrix2d shear;
    shear << 1, scan_.shear, 0, 1;
    linear_ = scan_.pixel_size_angstrom *
              Eigen::Rotation2Dd(scan_.rotation_deg * pi / 180).toRotationMatrix() * axes * scales *
              axes.transpose() * shear;
    inverse_ = linear_.inverse();
    centre_px_ = {0.5 * (scan_.width - 1), 0.5 * (scan_.height - 1)};
    centre_scene_ = Eigen::Vector2d(scan_.origin_x_angstrom, scan_.origin_y_angstrom) +
                    scan_.pixel_size_angstrom * centre_px_;

    jitter_ = Eigen::MatrixXd::Zero(2, scan_.height);
    if (scan_.line_jitter_px > 0) shake_lines(random);
    if (scan_.tears > 0) tear_lines(random);
    // An atom appears where the lines that cross it are displaced on average.
    const double sigma = std::max(0.5, 0.5 / scan_.pixel_size_angstrom);
    mean_jitter_ = jitter_;
    for (int line = 0; line < scan_.height; ++line) {
        Eigen::Vector2d sum = Eigen::Vector2d::Zero();
        double weights = 0;
        const int reach = static_cast<int>(3 * sigma) + 1;
        for (int other = std::max(0, line - reach); other <= std::min(scan_.height - 1, line + reach);
             ++other) {
            const double weight = std::exp(-0.5 * std::pow((other - line) / sigma, 2));
            sum += weight * jitter_.col(other);
            weights += weight;
        }
        mean_jitter_.col(line) = sum / weights;
    }
}

void Scan::shake_lines(Random& random) {
    for (int axis = 0; axis < 2; ++axis) {
        const Eigen::ArrayXd pink = pink_series(scan_.height, random);
        const double phase = random.uniform(0, 2 * pi), white_share = axis == 0 ? 0.5 : 0.3;
        for (int line = 0; line < scan_.height; ++line) {
            const double mains =
                std::numbers::sqrt2 * std::sin(2 * pi * scan_.mains_periods_per_line * line + phase);
            jitter_(axis, line) =
                scan_.line_jitter_px * (0.5 * pink(line) + 0.6 * mains + white_share * random.normal());
        }
    }
}

void Scan::tear_lines(Random& random) {
    // The beam jumps along the line and creeps back over the following ones.
    const int count =
        static_cast<int>(scan_.tears) + (random.uniform() < scan_.tears - std::floor(scan_.tears));
    for (int tear = 0; tear < count; ++tear) {
        const int first = static_cast<int>(random.below(scan_.height));
        const double jump = scan_.tear_px * (random.uniform() < 0.5 ? -1 : 1) * random.uniform(0.5, 1.5);
        for (int line = first; line < scan_.height; ++line)
            jitter_(0, line) += jump * std::exp(-(line - first) / scan_.tear_lines);
    }
}

Eigen::Vector2d Scan::beam(int x, int y) const {
    const Eigen::Vector2d pixel(x, y);
    return scene(pixel + smooth(pixel) + jitter_.col(y));
}

Eigen::Vector2d Scan::pixel(const Eigen::Vector2d& position) const {
    const Eigen::Vector2d ideal = inverse_ * (position - centre_scene_) + centre_px_;
    Eigen::Vector2d p = ideal;
    for (int iteration = 0; iteration < 12; ++iteration) {
        const double line = std::clamp(p.y(), 0.0, static_cast<double>(scan_.height - 1));
        const int below = std::min(static_cast<int>(line), scan_.height - 2);
        const double f = line - below;
        p = ideal - smooth(p) - (1 - f) * mean_jitter_.col(below) - f * mean_jitter_.col(below + 1);
    }
    return p;
}

Eigen::Vector2d Scan::smooth(const Eigen::Vector2d& pixel) const {
    const double time = pixel.y() / scan_.height;
    const double progress = time - 0.5 + 0.15 * std::sin(2 * pi * time);
    const double flyback =
        scan_.flyback_px == 0
            ? 0
            : scan_.flyback_px * std::exp(-std::max(pixel.x(), 0.0) / scan_.flyback_length_px);
    return {scan_.drift_px[0] * progress - flyback, scan_.drift_px[1] * progress};
}

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
#include "frame_model.hpp"

#include <algorithm>
#include <complex>
#include <numbers>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

/// Variance of white noise that the fit of the atoms around a hollow leaves there [measured on simulated
/// frames].
constexpr double left_in_hollows = 0.8;
constexpr double least_carbon_spread = 0.03;

bool is_within(const Pixels& image, const FrameModel::Vector& p) {
    return p.x() >= 0 && p.y() >= 0 && p.x() <= static_cast<double>(image.cols() - 1) &&
           p.y() <= static_cast<double>(image.rows() - 1);
}

}  // namespace

FrameModel::FrameModel(const Pixels& frame, const std::vector<Vector>& starts,
                       const Eigen::Matrix2d& angstrom_per_pixel, bool levels_are_free)
    : image(frame),
      start(starts),
      map(angstrom_per_pixel),
      metric(angstrom_per_pixel.transpose() * angstrom_per_pixel),
      scale(std::sqrt(std::abs(angstrom_per_pixel.determinant()))),
      free_levels(levels_are_free) {
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> eigen(metric);
    smallest_scale = std::sqrt(std::max(eigen.eigenvalues()(0), 1e-12));
    const Pixels smooth = gaussian_blur(image, 0.3 / scale);
    background = gaussian_blur(image, 3.0 / scale);
    for (const auto& p : starts) {
        FittedAtom atom;
        atom.x = p.x();
        atom.y = p.y();
        atom.amplitude = atom.shared =
            std::max(0.0, 1.3 * (bilinear(smooth, p.x(), p.y()) - bilinear(background, p.x(), p.y())));
        atoms.push_back(atom);
    }
    typical = median_amplitude();
    render();
}

void FrameModel::render() {
    model = Pixels::Zero(image.rows(), image.cols());
    for (const FittedAtom& atom : atoms) add(model, atom, 1);
}

bool FrameModel::in_glow(const FittedAtom& atom) const {
    return std::abs(bilinear(background, atom.x, atom.y) - usual_background) > 0.5 * typical;
}

bool FrameModel::like_carbon(std::size_t i) const {
    if (!(carbon_spread > 0)) return false;
    if (i >= found && !is_within(image, start[i])) return true;
    const FittedAtom& atom = atoms[i];
    const double deviation = std::hypot(atom.amplitude_error, carbon_spread * typical);
    return atom.amplitude < 2 * typical && std::abs(atom.amplitude - typical) < 3 * deviation;
}

void FrameModel::measure_background() {
    std::vector<float> levels;
    for (const FittedAtom& atom : found_atoms())
        levels.push_back(static_cast<float>(bilinear(background, atom.x, atom.y)));
    usual_background = quantile(levels, 0.4);
}

void FrameModel::measure_carbon_spread() {
    std::vector<float> amplitudes, squares;
    for (const FittedAtom& atom : found_atoms()) {
        amplitudes.push_back(static_cast<float>(atom.amplitude));
        squares.push_back(static_cast<float>(atom.amplitude_error * atom.amplitude_error));
    }
    if (amplitudes.size() < 20 || !(typical > 0)) return;
    const double deviation = (quantile(amplitudes, 0.75) - quantile(amplitudes, 0.25)) / 1.349;
    const double excess2 = deviation * deviation - quantile(squares, 0.5);
    carbon_spread = std::max(least_carbon_spread, std::sqrt(std::max(excess2, 0.0)) / typical);
}

void FrameModel::measure_variance() {
    const Pixels expected = model + background;
    Pixels rest = image - expected;
    rest -= gaussian_blur(rest, 0.5 / scale);
    struct Sample {
        float brightness, square;
    };
    std::vector<Sample> samples;
    const std::size_t every = std::max<std::size_t>(1, found / 1000);
    for (std::size_t i = 0; i < found; i += every) {
        if (atoms[i].amplitude > 1.8 * typical) continue;
        window(atoms[i].x, atoms[i].y, window_angstrom, [&](int row, int column, const Vector&, double) {
            const float r = rest(row, column);
            samples.push_back({expected(row, column), r * r});
        });
    }
    if (samples.size() < 500) return;
    // Line through the means of sixteen classes of brightness: sorted by halves, quarters, ...
    constexpr std::size_t classes = 16;
    const auto bound = [&samples](std::size_t c) {
        return samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * c / classes);
    };
    for (std::size_t width = classes; width > 1; width /= 2)
        for (std::size_t c = 0; c < classes; c += width)
            std::nth_element(bound(c), bound(c + width / 2), bound(c + width),
                             [](const Sample& a, const Sample& b) { return a.brightness < b.brightness; });
    double s1 = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t c = 0; c < classes; ++c) {
        double x = 0, y = 0;
        for (auto sample = bound(c); sample != bound(c + 1); ++sample) {
            x += sample->brightness;
            y += sample->square;
        }
        const auto n = static_cast<double>(bound(c + 1) - bound(c));
        x /= n;
        y /= n;
        // Means of squares err in proportion to themselves.
        const double w = 1 / std::max(y * y, 1e-30);
        s1 += w;
        sx += w * x;
        sy += w * y;
        sxx += w * x * x;
        sxy += w * x * y;
    }
    const double determinant = s1 * sxx - sx * sx;
    double slope = determinant > 0 ? (s1 * sxy - sx * sy) / determinant : 0;
    if (!(slope > 0)) slope = 0;
    variance = {(sy - slope * sx) / s1, slope};
    // Nowhere less than at the dark end of what was seen.
    const double dark = samples[samples.size() / 50].brightness;
    variance_floor = std::max(variance[0] + slope * dark, 0.05 * sy / s1);
    variance_floor = std::max(variance_floor, 1e-12 * typical * typical + 1e-30);
}

void FrameModel::measure_correlation() {
    std::vector<float> responses;
    const double reach = 1.8 / scale, bond = 1.42, radius = 0.85;
    const NeighborBins bins(start, reach);
    const Eigen::Matrix2d inverse = map.inverse();
    std::vector<int> near;
    const std::size_t every = std::max<std::size_t>(1, found / 1500);
    for (std::size_t i = 0; i < found; i += every) {
        bins.within(start[i], reach, near);
        if (near.size() != 4 || (!free_levels && in_glow(atoms[i])))
            continue;  // the atom itself and three neighbours
        std::complex<double> threefold = 0;
        for (const int j : near) {
            const Vector d = map * (start[static_cast<std::size_t>(j)] - start[i]);
            if (d.squaredNorm() > 0) threefold += std::polar(1.0, 3 * std::atan2(d.y(), d.x()));
        }
        // A hollow lies opposite to a bond, in one of three directions by turns.
        const double angle =
            std::arg(threefold) / 3 + std::numbers::pi / 3 * (1 + 2 * static_cast<double>(i / every % 3));
        const Vector place =
            Vector(atoms[i].x, atoms[i].y) + inverse * (bond * Vector(std::cos(angle), std::sin(angle)));
        const double margin = radius / smallest_scale + 1;
        if (place.x() < margin || place.y() < margin ||
            place.x() > static_cast<double>(image.cols()) - 1 - margin ||
            place.y() > static_cast<double>(image.rows()) - 1 - margin)
            continue;
        for (const Vector& across : {Vector(1, 0), Vector(0, 1)}) {
            double sum = 0, squares = 0;
            window(place.x(), place.y(), radius, [&](int row, int column, const Vector& d, double r2) {
                const double expected = model(row, column) + background(row, column);
                const double w = weight(expected), slope = profile.slope(r2) * across.dot(map * d);
                sum += w * slope * (image(row, column) - expected);
                squares += w * slope * slope;
            });
            if (squares > 0) responses.push_back(static_cast<float>(sum / std::sqrt(squares)));
        }
    }
    if (responses.size() < 20) return;
    const double deviation = (quantile(responses, 0.84) - quantile(responses, 0.16)) / 2;
    // Narrow windows do not reach the hollows.
    correlation = std::max(deviation * deviation / (free_levels ? 1 : left_in_hollows), 1.0);
}

double FrameModel::median_error() const {
    std::vector<float> errors;
    for (const FittedAtom& atom : found_atoms()) errors.push_back(static_cast<float>(atom.amplitude_error));
    return quantile(errors, 0.5);
}

double FrameModel::median_amplitude() const {
    std::vector<float> amplitudes;
    for (const FittedAtom& atom : found_atoms()) amplitudes.push_back(static_cast<float>(atom.amplitude));
    return quantile(amplitudes, 0.5);
}

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Separable filters, interpolation and maxima.
#include "filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "stembridge/base/errors.hpp"

namespace stembridge::ml {
namespace {

std::vector<float> gaussian_kernel(double sigma) {
    const int reach = std::max(1, static_cast<int>(std::ceil(4 * sigma)));
    std::vector<float> kernel(2 * static_cast<std::size_t>(reach) + 1);
    double sum = 0;
    for (int k = -reach; k <= reach; ++k) sum += std::exp(-0.5 * k * k / (sigma * sigma));
    for (std::size_t i = 0; i < kernel.size(); ++i) {
        const double k = static_cast<double>(i) - reach;
        kernel[i] = static_cast<float>(std::exp(-0.5 * k * k / (sigma * sigma)) / sum);
    }
    return kernel;
}

/// Mean of blocks of factor x factor pixels.
Pixels shrink(const Pixels& image, int factor) {
    const Eigen::Index rows = (image.rows() + factor - 1) / factor,
                       cols = (image.cols() + factor - 1) / factor;
    Pixels result(rows, cols);
    for (Eigen::Index y = 0; y < rows; ++y)
        for (Eigen::Index x = 0; x < cols; ++x) {
            const Eigen::Index h = std::min<Eigen::Index>(factor, image.rows() - y * factor);
            const Eigen::Index w = std::min<Eigen::Index>(factor, image.cols() - x * factor);
            result(y, x) = image.block(y * factor, x * factor, h, w).mean();
        }
    return result;
}

}  // namespace

Pixels gaussian_blur(const Pixels& image, double sigma_px) {
    if (sigma_px <= 0) return image;
    // A wide Gaussian needs no fine grid: blocks of a quarter of its width lose nothing that it would keep.
    if (sigma_px > 12) {
        const int factor = static_cast<int>(sigma_px / 4);
        const double variance = sigma_px * sigma_px - (factor * factor - 1) / 12.0;
        const Pixels small = gaussian_blur(shrink(image, factor), std::sqrt(variance) / factor);
        Pixels result(image.rows(), image.cols());
        for (Eigen::Index y = 0; y < image.rows(); ++y)
            for (Eigen::Index x = 0; x < image.cols(); ++x)
                result(y, x) = static_cast<float>(
                    bilinear(small, (x - 0.5 * (factor - 1)) / factor, (y - 0.5 * (factor - 1)) / factor));
        return result;
    }
    const std::vector<float> kernel = gaussian_kernel(sigma_px);
    const Eigen::Index reach = static_cast<Eigen::Index>(kernel.size() / 2);
    const Eigen::Index h = image.rows(), w = image.cols();
    Pixels rows(h, w), result = Pixels::Zero(h, w);
    Eigen::ArrayXf padded(w + 2 * reach);
    for (Eigen::Index y = 0; y < h; ++y) {
        padded.head(reach).setConstant(image(y, 0));
        padded.segment(reach, w) = image.row(y);
        padded.tail(reach).setConstant(image(y, w - 1));
        Eigen::ArrayXf sum = Eigen::ArrayXf::Zero(w);
        for (std::size_t k = 0; k < kernel.size(); ++k)
            sum += kernel[k] * padded.segment(static_cast<Eigen::Index>(k), w);
        rows.row(y) = sum;
    }
    for (Eigen::Index y = 0; y < h; ++y)
        for (Eigen::Index k = -reach; k <= reach; ++k)
            result.row(y) += kernel[static_cast<std::size_t>(k + reach)] *
                             rows.row(std::clamp<Eigen::Index>(y + k, 0, h - 1));
    return result;
}

Pixels masked_blur(const Pixels& image, const Pixels& weight, double sigma_px) {
    const Pixels sum = gaussian_blur(image * weight, sigma_px);
    return sum / gaussian_blur(weight, sigma_px).max(1e-6f);
}

double bilinear(const Pixels& image, double x, double y) {
    x = std::clamp(x, 0.0, static_cast<double>(image.cols() - 1));
    y = std::clamp(y, 0.0, static_cast<double>(image.rows() - 1));
    const Eigen::Index x0 = static_cast<Eigen::Index>(x), y0 = static_cast<Eigen::Index>(y);
    const Eigen::Index x1 = std::min(x0 + 1, image.cols() - 1), y1 = std::min(y0 + 1, image.rows() - 1);
    const double fx = x - static_cast<double>(x0), fy = y - static_cast<double>(y0);
    return (1 - fy) * ((1 - fx) * image(y0, x0) + fx * image(y0, x1)) +
           fy * ((1 - fx) * image(y1, x0) + fx * image(y1, x1));
}

double bicubic(const Pixels& image, double x, double y) {
    const auto weights = [](double t, double(&w)[4]) {
        w[0] = 0.5 * (-t + 2 * t * t - t * t * t);
        w[1] = 0.5 * (2 - 5 * t * t + 3 * t * t * t);
        w[2] = 0.5 * (t + 4 * t * t - 3 * t * t * t);
        w[3] = 0.5 * (-t * t + t * t * t);
    };
    x = std::clamp(x, 0.0, static_cast<double>(image.cols() - 1));
    y = std::clamp(y, 0.0, static_cast<double>(image.rows() - 1));
    const Eigen::Index x0 = static_cast<Eigen::Index>(x), y0 = static_cast<Eigen::Index>(y);
    double wx[4], wy[4];
    weights(x - static_cast<double>(x0), wx);
    weights(y - static_cast<double>(y0), wy);
    double sum = 0;
    for (int j = 0; j < 4; ++j) {
        const Eigen::Index row = std::clamp<Eigen::Index>(y0 + j - 1, 0, image.rows() - 1);
        double line = 0;
        for (int i = 0; i < 4; ++i)
            line += wx[i] * image(row, std::clamp<Eigen::Index>(x0 + i - 1, 0, image.cols() - 1));
        sum += wy[j] * line;
    }
    return sum;
}

double quantile(std::vector<float>& values, double share) {
    if (values.empty()) return 0;
    const auto position =
        static_cast<std::ptrdiff_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + position, values.end());
    return values[static_cast<std::size_t>(position)];
}

std::vector<float> masked_values(const Pixels& image, const Pixels& mask) {
    std::vector<float> values;
    const Eigen::Index step = std::max<Eigen::Index>(1, image.size() / 100000);
    for (Eigen::Index i = 0; i < image.size(); i += step)
        if (mask.size() == 0 || mask.data()[i] > 0.5f) values.push_back(image.data()[i]);
    return values;
}

std::vector<Maximum> local_maxima(const Pixels& image, double threshold, double min_distance_px) {
    std::vector<Maximum> found;
    for (Eigen::Index y = 1; y + 1 < image.rows(); ++y)
        for (Eigen::Index x = 1; x + 1 < image.cols(); ++x) {
            const float value = image(y, x);
            if (!(value > threshold) || image.block<3, 3>(y - 1, x - 1).maxCoeff() > value) continue;
            // A plateau counts once: at its first pixel in reading order.
            if (image(y, x - 1) == value || image.block<1, 3>(y - 1, x - 1).maxCoeff() == value) continue;
            const auto vertex = [](double left, double middle, double right) {
                const double curvature = left - 2 * middle + right;
                return curvature < 0 ? std::clamp(0.5 * (left - right) / curvature, -0.5, 0.5) : 0.0;
            };
            found.push_back({static_cast<double>(x) + vertex(image(y, x - 1), value, image(y, x + 1)),
                             static_cast<double>(y) + vertex(image(y - 1, x), value, image(y + 1, x)),
                             value});
        }
    std::stable_sort(found.begin(), found.end(),
                     [](const Maximum& a, const Maximum& b) { return a.value > b.value; });
    std::vector<Eigen::Vector2d> points;
    points.reserve(found.size());
    for (const Maximum& m : found) points.emplace_back(m.x, m.y);
    if (points.empty()) return {};
    const NeighborBins bins(points, min_distance_px);
    std::vector<char> kept(found.size(), 0);
    std::vector<Maximum> result;
    std::vector<int> near;
    for (std::size_t i = 0; i < found.size(); ++i) {
        bins.within(points[i], min_distance_px, near);
        if (std::any_of(near.begin(), near.end(), [&](int j) { return kept[static_cast<std::size_t>(j)]; }))
            continue;
        kept[i] = 1;
        result.push_back(found[i]);
    }
    return result;
}

NeighborBins::NeighborBins(const std::vector<Eigen::Vector2d>& points, double reach)
    : points_(points), size_(std::max(reach, 1e-9)), low_(Eigen::Vector2d::Zero()) {
    Eigen::Vector2d high = low_;
    if (!points.empty()) low_ = high = points.front();
    for (const auto& p : points) {
        low_ = low_.cwiseMin(p);
        high = high.cwiseMax(p);
    }
    columns_ = 1 + static_cast<int>((high.x() - low_.x()) / size_);
    rows_ = 1 + static_cast<int>((high.y() - low_.y()) / size_);
    bins_.resize(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_));
    for (std::size_t i = 0; i < points.size(); ++i) {
        const int column = static_cast<int>((points[i].x() - low_.x()) / size_);
        const int row = static_cast<int>((points[i].y() - low_.y()) / size_);
        bins_[bin_of(row, column)].push_back(static_cast<int>(i));
    }
}

void NeighborBins::within(const Eigen::Vector2d& position, double distance, std::vector<int>& result) const {
    result.clear();
    const auto bin = [&](double value, double low, int count) {
        return static_cast<int>(
            std::clamp(std::floor((value - low) / size_), -1.0, static_cast<double>(count)));
    };
    const int c0 = std::max(bin(position.x() - distance, low_.x(), columns_), 0);
    const int c1 = std::min(bin(position.x() + distance, low_.x(), columns_), columns_ - 1);
    const int r0 = std::max(bin(position.y() - distance, low_.y(), rows_), 0);
    const int r1 = std::min(bin(position.y() + distance, low_.y(), rows_), rows_ - 1);
    for (int r = r0; r <= r1; ++r)
        for (int c = c0; c <= c1; ++c)
            for (const int i : bins_[bin_of(r, c)])
                if ((points_[static_cast<std::size_t>(i)] - position).squaredNorm() <= distance * distance)
                    result.push_back(i);
}

int replace_outliers(Pixels& image) {
    const Eigen::Index h = image.rows(), w = image.cols();
    Pixels median(h, w),
        nearest(h, w);  // of the neighbours: median, and least distance of one from the pixel
    std::array<float, 8> around{};
    for (Eigen::Index y = 0; y < h; ++y)
        for (Eigen::Index x = 0; x < w; ++x) {
            std::size_t n = 0;
            float least = std::numeric_limits<float>::max();
            for (Eigen::Index v = std::max<Eigen::Index>(0, y - 1); v <= std::min(h - 1, y + 1); ++v)
                for (Eigen::Index u = std::max<Eigen::Index>(0, x - 1); u <= std::min(w - 1, x + 1); ++u) {
                    if (u == x && v == y) continue;
                    around[n++] = image(v, u);
                    least = std::min(least, std::abs(image(v, u) - image(y, x)));
                }
            if (n == 0) return 0;
            const auto middle = around.begin() + static_cast<std::ptrdiff_t>(n / 2);
            std::nth_element(around.begin(), middle, around.begin() + static_cast<std::ptrdiff_t>(n));
            median(y, x) = *middle;
            nearest(y, x) = least;
        }
    // Noise, and the tops of atoms, are within a few times what all but a five-hundredth of the pixels have.
    constexpr double usual_share = 0.998, far_out = 3, most_share = 1e-3;
    // At the finest sampling of an atom that can be used its neighbours have half of its height.
    constexpr float alone = 0.6F;
    std::vector<float> deviations;
    const Eigen::Index step = std::max<Eigen::Index>(1, image.size() / 100000);
    for (Eigen::Index i = 0; i < image.size(); i += step)
        deviations.push_back(std::abs(image.data()[i] - median.data()[i]));
    const double limit = far_out * quantile(deviations, usual_share);
    std::vector<Eigen::Index> outliers;
    for (Eigen::Index i = 0; i < image.size(); ++i) {
        const float deviation = std::abs(image.data()[i] - median.data()[i]);
        if (deviation > limit && nearest.data()[i] > alone * deviation) outliers.push_back(i);
    }
    if (limit <= 0 || static_cast<double>(outliers.size()) > most_share * static_cast<double>(image.size()))
        return 0;
    for (const Eigen::Index i : outliers) image.data()[i] = median.data()[i];
    return static_cast<int>(outliers.size());
}

void require_usable(const Image& image, int smallest_side) {
    const std::string where = image.source.empty() ? "image" : image.source;
    if (image.height() < smallest_side || image.width() < smallest_side)
        throw InputError(fmt::format("{}: {} x {} pixels are too few; at least {} x {} are needed", where,
                                     image.width(), image.height(), smallest_side, smallest_side));
    for (Eigen::Index i = 0; i < image.pixels.size(); ++i)
        if (!std::isfinite(image.pixels.data()[i]))
            throw InputError(fmt::format("{}: pixel (x {}, y {}) is not a finite number", where,
                                         i % image.pixels.cols(), i / image.pixels.cols()));
    if (image.pixels.maxCoeff() == image.pixels.minCoeff())
        throw InputError(fmt::format("{}: all pixels have the value {}; a frame with contrast is needed",
                                     where, image.pixels(0, 0)));
}

}  // namespace stembridge::ml

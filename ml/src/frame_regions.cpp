// SPDX-License-Identifier: Apache-2.0
// Brightness and local strength of the lattice tell sheet, contamination and vacuum from each other.
#include "stembridge/ml/frame_regions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "filters.hpp"

namespace stembridge::ml {
namespace {

/// Standard deviations of the windows in which brightness and lattice are looked at: atoms are not seen one
/// by one in the first, and a hundred of them share the second.
constexpr double brightness_angstrom = 1.0, lattice_angstrom = 5.0;
/// Areas that are smaller, bright or dark, are clusters of Si and small holes.
constexpr double cluster_angstrom2 = 60;
/// |F_g| of the first-order waves as the unit: contrast of atoms over hollows, and how much darker vacuum is
/// than the mean of the sheet. The latter is 2 |F_0 / F_g|, 5 for a probe of 1.1 angstrom and more for wider
/// ones.
constexpr double contrast_per_wave = 9, least_step_per_wave = 5;
constexpr double octile_per_sigma = 0.319;
/// Strength of the lattice over its usual one: the edge of the sheet has a half.
constexpr double no_lattice = 0.35, little_lattice = 0.75;

/// The map with zeros in its outermost pixels. Blurs continue the edges: noise there, continued, would look
/// like a wave of any length.
Pixels ending_in_zeros(Pixels map) {
    map.row(0).setZero();
    map.row(map.rows() - 1).setZero();
    map.col(0).setZero();
    map.col(map.cols() - 1).setZero();
    return map;
}

/// How much lattice there is around each pixel: mean |F_g| of the three first-order waves.
Pixels lattice_strength(const Pixels& frame_detail, const LatticeCalibration& lattice) {
    const Pixels detail = ending_in_zeros(frame_detail);
    const Eigen::Index h = detail.rows(), w = detail.cols();
    const double sigma = lattice_angstrom / lattice.scale_angstrom;
    const Eigen::Matrix2d g = lattice.lattice_px.inverse().transpose();
    Pixels strength = Pixels::Zero(h, w), real(h, w), imaginary(h, w);
    for (const Eigen::Vector2d& k :
         {Eigen::Vector2d(g.col(0)), Eigen::Vector2d(g.col(1)), Eigen::Vector2d(g.col(0) + g.col(1))}) {
        for (Eigen::Index y = 0; y < h; ++y)
            for (Eigen::Index x = 0; x < w; ++x) {
                const double phase =
                    2 * std::numbers::pi * (k.x() * static_cast<double>(x) + k.y() * static_cast<double>(y));
                real(y, x) = detail(y, x) * static_cast<float>(std::cos(phase));
                imaginary(y, x) = detail(y, x) * static_cast<float>(std::sin(phase));
            }
        strength +=
            (gaussian_blur(real, sigma).square() + gaussian_blur(imaginary, sigma).square()).sqrt() / 3;
    }
    return strength / gaussian_blur(ending_in_zeros(Pixels::Ones(h, w)), sigma);
}

/// Some pixels of a frame with what tells them from each other, sorted by brightness.
class Samples {
  public:
    Samples(const Pixels& bright, const Pixels& weight, const Pixels& strength) {
        const Eigen::Index step = std::max<Eigen::Index>(1, bright.size() / 60000);
        for (Eigen::Index i = 0; i < bright.size(); i += step) {
            samples_.push_back({bright.data()[i], weight.data()[i], strength.data()[i]});
            total_ += weight.data()[i];
        }
        std::sort(samples_.begin(), samples_.end(),
                  [](const Sample& a, const Sample& b) { return a.bright < b.bright; });
    }
    /// Leaves out those that are brighter.
    void drop_above(double limit) {
        while (samples_.size() > 1 && samples_.back().bright > limit) {
            total_ -= samples_.back().weight;
            samples_.pop_back();
        }
    }
    /// Quantile of the brightness, weighted.
    double brightness(double share) const {
        double sum = 0;
        for (const Sample& s : samples_)
            if ((sum += s.weight) >= share * total_) return s.bright;
        return samples_.back().bright;
    }
    /// The narrowest range of brightness with a quarter of the weight: where the sheet is, even when
    /// contamination and holes have most of the rest.
    std::array<double, 2> narrowest_quarter() const {
        std::array<double, 2> best{samples_.front().bright, samples_.back().bright};
        double sum = 0;
        for (std::size_t first = 0, last = 0; last < samples_.size(); ++last) {
            sum += samples_[last].weight;
            for (; sum - samples_[first].weight >= 0.25 * total_; ++first) sum -= samples_[first].weight;
            if (sum >= 0.25 * total_ && samples_[last].bright - samples_[first].bright < best[1] - best[0])
                best = {samples_[first].bright, samples_[last].bright};
        }
        return best;
    }
    /// Weighted mean.
    double strength() const {
        double mean = 0;
        for (const Sample& s : samples_) mean += s.weight * s.strength / total_;
        return mean;
    }

  private:
    struct Sample {
        float bright;
        double weight;
        float strength;
    };
    std::vector<Sample> samples_;
    double total_ = 0;
};

/// Fills connected areas of ones that are smaller than so many pixels (half as many at the border of the
/// frame) with zeros.
void drop_small(Pixels& map, double smallest_px) {
    const Eigen::Index h = map.rows(), w = map.cols();
    Pixels seen = Pixels::Zero(h, w);
    std::vector<Eigen::Index> area;
    for (Eigen::Index start = 0; start < map.size(); ++start) {
        const auto visit = [&](Eigen::Index i) {
            if (map.data()[i] == 0 || seen.data()[i] > 0) return;
            seen.data()[i] = 1;
            area.push_back(i);
        };
        area.clear();
        visit(start);
        bool at_border = false;
        for (std::size_t next = 0; next < area.size(); ++next) {
            const Eigen::Index y = area[next] / w, x = area[next] % w;
            at_border |= y == 0 || x == 0 || y + 1 == h || x + 1 == w;
            if (x > 0) visit(area[next] - 1);
            if (x + 1 < w) visit(area[next] + 1);
            if (y > 0) visit(area[next] - w);
            if (y + 1 < h) visit(area[next] + w);
        }
        if (static_cast<double>(area.size()) < (at_border ? 0.5 : 1.0) * smallest_px)
            for (const Eigen::Index i : area) map.data()[i] = 0;
    }
}

/// Pixels that are as dark as vacuum and have little lattice around.
/// @param sheet brightness of the sheet  @param usual strength of the lattice there
Pixels vacuum_in(const Pixels& bright, const Pixels& strength, double sheet, double usual,
                 double smallest_px) {
    std::vector<float> dark;
    for (Eigen::Index i = 0; i < bright.size(); ++i)
        if (bright.data()[i] < sheet - 0.5 * least_step_per_wave * usual &&
            strength.data()[i] < no_lattice * usual)
            dark.push_back(bright.data()[i]);
    if (dark.empty()) return Pixels::Zero(bright.rows(), bright.cols());
    const auto edge = static_cast<float>(0.5 * (sheet + quantile(dark, 0.5)));
    Pixels vacuum = (bright < edge && strength < static_cast<float>(little_lattice * usual)).cast<float>();
    drop_small(vacuum, smallest_px);
    return vacuum;
}

}  // namespace

FrameRegions frame_regions(const Image& image, const LatticeCalibration& lattice) {
    require_usable(image, 8);
    const Pixels& p = image.pixels;
    const double scale = lattice.scale_angstrom, smallest_px = cluster_angstrom2 / (scale * scale);
    const bool has_lattice = lattice.lattice_px.determinant() != 0;
    const Pixels bright = gaussian_blur(p, brightness_angstrom / scale);
    Pixels strength = Pixels::Zero(p.rows(), p.cols()), weight = Pixels::Ones(p.rows(), p.cols());
    if (has_lattice) {
        const Pixels detail = p - gaussian_blur(p, 2.0 / scale);
        strength = lattice_strength(detail, lattice);
        const Pixels roughness = gaussian_blur(detail.square(), lattice_angstrom / scale).sqrt() + 1e-12f;
        weight = (strength / roughness).square().square();
    }
    Samples samples(bright, weight, strength);
    double sheet = samples.brightness(0.5), spread = sheet - samples.brightness(0.16),
           limit = sheet + 3.5 * spread, usual = 0;
    // Rough contamination has some of the weight: what is too bright for a sheet is left out of its
    // brightness.
    for (int round = 0; has_lattice && round < 4; ++round) {
        const auto [low, high] = samples.narrowest_quarter();
        sheet = 0.5 * (low + high);
        spread = 0.5 * (high - low) / octile_per_sigma;
        usual = samples.strength();
        limit = sheet + std::max(3.5 * spread, 0.75 * contrast_per_wave * usual);
        samples.drop_above(limit);
    }
    Pixels dirty = (bright > static_cast<float>(limit)).cast<float>();
    drop_small(dirty, smallest_px);
    FrameRegions result{1.0f - dirty, Pixels::Zero(p.rows(), p.cols())};
    if (has_lattice) result.vacuum = vacuum_in(bright, strength, sheet, usual, smallest_px);
    return result;
}

}  // namespace stembridge::ml

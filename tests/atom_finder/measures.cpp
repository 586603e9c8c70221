// SPDX-License-Identifier: Apache-2.0
#include "measures.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace stembridge::atom_finder {

double Measures::rms_angstrom() const {
    return carbons > 0 ? std::sqrt(squares / carbons) : 0;
}
double Measures::rms_over_bound() const {
    return bound_squares > 0 ? std::sqrt(squares / bound_squares) : 0;
}
double Measures::rms_over_sheet_bound() const {
    return sheet_bound_squares > 0 ? std::sqrt(squares / sheet_bound_squares) : 0;
}
double Measures::pull() const {
    return predicted > 0 ? std::sqrt(pulls / predicted) : 0;
}

double Measures::calibration_error() const {
    double sum = 0, count = 0;
    for (const Bin& bin : bins) {
        sum += std::abs(bin.right - bin.probability);
        count += bin.count;
    }
    return ratio(sum, count);
}

Measures& Measures::operator+=(const Measures& o) {
    hits += o.hits;
    missed += o.missed;
    false_alarms += o.false_alarms;
    squares += o.squares;
    bound_squares += o.bound_squares;
    sheet_bound_squares += o.sheet_bound_squares;
    pulls += o.pulls;
    carbons += o.carbons;
    predicted += o.predicted;
    silicon += o.silicon;
    silicon_right += o.silicon_right;
    carbon_called_silicon += o.carbon_called_silicon;
    false_silicon += o.false_silicon;
    chromium += o.chromium;
    chromium_unknown += o.chromium_unknown;
    unknown_otherwise += o.unknown_otherwise;
    seconds += o.seconds;
    frames += o.frames;
    for (std::size_t b = 0; b < bins.size(); ++b) {
        bins[b].count += o.bins[b].count;
        bins[b].probability += o.bins[b].probability;
        bins[b].right += o.bins[b].right;
    }
    return *this;
}

Measures measure(const Detections& found, const ml::SimulatedFrame& frame, double bound, double sheet_bound) {
    constexpr double tolerance = 0.5, border = 0.6, fit_border = 2.0;
    const Eigen::Matrix2d& scale = frame.angstrom_per_pixel;
    const double pixel = std::sqrt(std::abs(scale.determinant()));
    const auto at_border = [&](double x, double y, double width) {
        const double b = width / pixel;
        return x < b || y < b || x > frame.image.width() - 1 - b || y > frame.image.height() - 1 - b;
    };
    const auto error = [&](const Detection& d, const ml::TrueAtom& t) -> Eigen::Vector2d {
        return scale * Eigen::Vector2d(d.x_px - t.x_px, d.y_px - t.y_px);
    };
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < found.size(); ++i)
        for (std::size_t j = 0; j < frame.atoms.size(); ++j) {
            if (std::abs(found[i].x_px - frame.atoms[j].x_px) * pixel > 0.7) continue;
            const double distance = error(found[i], frame.atoms[j]).norm();
            if (distance <= tolerance) pairs.emplace_back(distance, i, j);
        }
    std::sort(pairs.begin(), pairs.end());
    std::vector<char> used(found.size(), 0), hit(frame.atoms.size(), 0);
    Measures m;
    m.frames = 1;
    const auto count_probability = [&](const Detection& d, bool right) {
        auto& bin = m.bins[static_cast<std::size_t>(std::clamp(10 * d.probability, 0.0, 9.0))];
        bin.count += 1;
        bin.probability += d.probability;
        bin.right += right;
    };
    for (const auto& [distance, i, j] : pairs) {
        if (used[i] || hit[j]) continue;
        used[i] = hit[j] = 1;
        const Detection& d = found[i];
        const ml::TrueAtom& t = frame.atoms[j];
        if (t.covered || at_border(t.x_px, t.y_px, border)) continue;
        ++m.hits;
        count_probability(d,
                          t.atomic_number == 24 ? d.atomic_number == 0 : d.atomic_number == t.atomic_number);
        m.silicon_right += t.atomic_number == 14 && d.atomic_number == 14;
        m.carbon_called_silicon += t.atomic_number == 6 && d.atomic_number == 14;
        m.chromium_unknown += t.atomic_number == 24 && d.atomic_number == 0;
        m.unknown_otherwise += t.atomic_number != 24 && d.atomic_number == 0;
        if (t.atomic_number != 6 || at_border(t.x_px, t.y_px, fit_border)) continue;
        const Eigen::Vector2d e = error(d, t);
        m.squares += e.squaredNorm() / 2;
        m.bound_squares += bound * bound;
        m.sheet_bound_squares += sheet_bound * sheet_bound;
        ++m.carbons;
        if (d.sigma_angstrom > 0) {
            m.pulls += e.squaredNorm() / (2 * d.sigma_angstrom * d.sigma_angstrom);
            ++m.predicted;
        }
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (used[i] || at_border(found[i].x_px, found[i].y_px, border)) continue;
        ++m.false_alarms;
        m.false_silicon += found[i].atomic_number == 14;
        count_probability(found[i], false);
    }
    for (std::size_t j = 0; j < frame.atoms.size(); ++j) {
        const ml::TrueAtom& t = frame.atoms[j];
        if (t.covered || at_border(t.x_px, t.y_px, border)) continue;
        m.missed += !hit[j];
        m.silicon += t.atomic_number == 14;
        m.chromium += t.atomic_number == 24;
    }
    return m;
}

}  // namespace stembridge::atom_finder

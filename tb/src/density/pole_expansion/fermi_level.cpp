// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/pole_expansion/fermi_level.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

/// low: fewer than k levels are below; high: at least k are.
struct Bracket {
    double low, high;
};

// As many at a time, whatever the number of threads, so that the result does not depend on it.
constexpr int at_once = 4;

/// Sections the bracket of level k until it is narrow enough.
Bracket narrow(const LevelCounts& counts, int k, Bracket b, double tolerance) {
    while (b.high - b.low > tolerance) {
        std::vector<double> points;
        for (int i = 1; i <= at_once; ++i) points.push_back(b.low + i * (b.high - b.low) / (at_once + 1));
        const std::vector<int> below = counts(points);
        Bracket next = b;
        for (std::size_t i = points.size(); i-- > 0;)
            if (below[i] >= k) next.high = points[i];
        for (std::size_t i = 0; i < points.size(); ++i)
            if (below[i] < k && points[i] < next.high) next.low = points[i];
        if (next.high - next.low >= b.high - b.low) break;
        b = next;
    }
    return b;
}

}  // namespace

FrontierLevels frontier_levels(const LevelCounts& counts, double filled, double start, double tolerance) {
    const int highest_filled = static_cast<int>(std::ceil(filled - 1e-9));
    const int lowest_empty = static_cast<int>(std::floor(filled + 1e-9)) + 1;
    Bracket homo{start, start}, lumo{start, start};
    bool found = false;
    for (double step = std::max(0.02, tolerance); step < 1e3 && !found; step *= 3) {
        const std::vector<double> points = {start - step, start - step / 4, start + step / 4, start + step};
        const std::vector<int> below = counts(points);
        if (below.front() >= highest_filled || below.back() < lowest_empty) continue;
        found = true;
        homo = lumo = {points.front(), points.back()};
        for (std::size_t i = 0; i < points.size(); ++i) {
            if (below[i] < highest_filled) homo.low = points[i];
            if (below[i] < lowest_empty) lumo.low = points[i];
        }
        for (std::size_t i = points.size(); i-- > 0;) {
            if (below[i] >= highest_filled) homo.high = points[i];
            if (below[i] >= lowest_empty) lumo.high = points[i];
        }
    }
    if (!found) throw NumericalError("no energy has the wanted number of levels below");
    homo = narrow(counts, highest_filled, homo, tolerance);
    if (lowest_empty == highest_filled) return {0.5 * (homo.low + homo.high), 0.5 * (homo.low + homo.high)};
    lumo.low = std::max(lumo.low, homo.low);
    lumo = narrow(counts, lowest_empty, lumo, std::max(tolerance, 0.1 * (lumo.low - homo.high)));
    const double level = 0.5 * (homo.low + homo.high);
    return {level, std::max(level, 0.5 * (lumo.low + lumo.high))};
}

double rising_root(const std::function<double(double)>& f, double low, double high) {
    while (high - low > 1e-13 * (1 + std::abs(low) + std::abs(high))) {
        const double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) break;
        (f(middle) < 0 ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

}  // namespace stembridge::tb

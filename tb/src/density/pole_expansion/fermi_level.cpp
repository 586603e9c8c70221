// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/fermi_level.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

// Counts agree with a number to this.
constexpr double same = 1e-9;

/// low: no more than a number of levels are below; high: more are.
struct Bracket {
    double low, high;
};

/// Counts that are known already.
class KnownCounts {
  public:
    explicit KnownCounts(const LevelCounts& counts) : counts_(counts) {}

    void look(const std::vector<double>& energies) {
        const std::vector<double> below = counts_(energies);
        for (std::size_t i = 0; i < energies.size(); ++i) known_[energies[i]] = below[i];
    }
    /// Where the count exceeds a number. @return infinite ends where nothing is known
    Bracket exceeding(double number) const {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        Bracket b{-infinity, infinity};
        for (const auto& [energy, below] : known_) {
            if (below > number) {
                b.high = energy;
                break;
            }
            b.low = energy;
        }
        return b;
    }
    double at(double energy) const { return known_.at(energy); }

  private:
    const LevelCounts& counts_;
    std::map<double, double> known_;
};

/// Closes the bracket to a tolerance, or to a tenth of the distance from an energy below. Levels lie about
/// evenly over a wide bracket, so that the place between the counts at both ends is a good guess; two counts
/// around it, always two, so that the result does not depend on the number of threads.
Bracket narrow(KnownCounts& counts, double number, double tolerance, double from) {
    Bracket b = counts.exceeding(number);
    for (bool guess = true; b.high - b.low > std::max(tolerance, 0.1 * (b.low - from));) {
        const double width = b.high - b.low;
        double first = b.low + width / 3, second = b.high - width / 3;
        const double low = counts.at(b.low), high = counts.at(b.high);
        if (guess && high - low > 1 + same) {
            const double half = std::max(0.5 * tolerance, 0.03 * width);
            const double middle = b.low + width * std::clamp((number + 0.5 - low) / (high - low), 0.0, 1.0);
            first = std::max(middle - half, b.low + 0.02 * width);
            second = std::min(middle + half, b.high - 0.02 * width);
        }
        counts.look({first, second});
        const Bracket next = counts.exceeding(number);
        // A bracket that hardly closed is cut in equal parts.
        guess = next.high - next.low < width / 3;
        if (next.high - next.low >= width) break;
        b = next;
    }
    return b;
}

}  // namespace

FrontierLevels frontier_levels(const LevelCounts& counts, double filled, double start, double tolerance) {
    KnownCounts known(counts);
    bool found = false;
    for (double step = std::max(0.02, tolerance); step < 1e3 && !found; step *= 3) {
        known.look({start - step, start + step});
        found = std::isfinite(known.exceeding(filled - 2 * same).low) &&
                std::isfinite(known.exceeding(filled + 2 * same).high);
    }
    if (!found) throw NumericalError("no energy has the wanted number of levels below");
    // Below the highest filled level fewer levels lie than are filled, above the lowest empty one more.
    const Bracket homo = narrow(known, filled - 2 * same, tolerance, std::numeric_limits<double>::infinity());
    const Bracket lumo = narrow(known, filled + 2 * same, tolerance, homo.high);
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

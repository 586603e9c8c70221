// SPDX-License-Identifier: Apache-2.0
#include "density/eigenstates.hpp"

#include <algorithm>
#include <cmath>

namespace stembridge::tb {

LevelRange levels_that_count(const Eigen::VectorXd& weights) {
    const double negligible = 1e-17 * weights.cwiseAbs().maxCoeff();
    LevelRange range{0, weights.size()};
    while (range.first < range.last && std::abs(weights(range.first)) <= negligible) ++range.first;
    while (range.last > range.first && std::abs(weights(range.last - 1)) <= negligible) --range.last;
    return range;
}

LevelRange levels_near(const Eigen::MatrixXd& levels, double mu, double half_width, Eigen::Index kept) {
    LevelRange all{levels.rows(), 0};
    for (const auto& e : levels.colwise()) {
        const Eigen::Index first = std::lower_bound(e.begin(), e.end(), mu - half_width) - e.begin();
        const Eigen::Index last = std::upper_bound(e.begin(), e.end(), mu + half_width) - e.begin();
        all = {std::min(all.first, first), std::max({all.last, first, std::min(kept, last)})};
    }
    return all;
}

Eigen::MatrixXd slopes_of(const Eigen::MatrixXd& f, double capacity, double kT) {
    const Eigen::ArrayXXd p = f.array() / capacity;
    return capacity * p * (1 - p) / kT;
}

std::vector<Eigen::MatrixXd> fermi_slopes(const std::vector<Eigen::MatrixXd>& levels,
                                          const Eigen::VectorXd& weights, const Electrons& electrons,
                                          double kT) {
    Electrons warm = electrons;
    warm.kT = kT;
    warm.filling = Filling::fermi;
    const double capacity = 2.0 / static_cast<double>(levels.size());
    std::vector<Eigen::MatrixXd> slopes = occupy(levels, weights, warm).f;
    for (Eigen::MatrixXd& f : slopes) f = slopes_of(f, capacity, kT);
    return slopes;
}

void describe(const Occupations& occupations, const std::vector<Eigen::MatrixXd>& levels, Density& out) {
    out.fermi_levels = occupations.fermi_levels;
    out.band_energy = occupations.band_energy;
    out.ts = occupations.ts;
    out.ts_share_at_zero = occupations.ts_share_at_zero;
    out.gap = occupations.gap;
    out.eigenvalues = levels;
}

}  // namespace stembridge::tb

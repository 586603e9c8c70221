// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/occupation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

constexpr double cold = 1e-10;       // hartree: below this kT the filling is a step
constexpr double degenerate = 1e-7;  // hartree: levels this close at 0 K are one

/// Occupation (0..1) and entropy (in units of k) of a level x = (e - mu) / kT.
struct Filled {
    double f, entropy;
};

Filled fill(Filling filling, double x) {
    switch (filling) {
        case Filling::fermi: {
            if (std::abs(x) > 700) return {x < 0 ? 1.0 : 0.0, 0};
            // f = 1 / (1 + e^x),  S = -f ln f - (1 - f) ln(1 - f) = ln(1 + e^-|x|) + |x| f(|x|)
            const double e = std::exp(-std::abs(x)), tail = e / (1 + e);
            return {x < 0 ? 1 / (1 + e) : tail, std::log1p(e) + std::abs(x) * tail};
        }
        case Filling::gaussian: {
            // f = erfc(x) / 2,  S = exp(-x^2) / (2 sqrt(pi))
            return {0.5 * std::erfc(x), std::exp(-x * x) / (2 * std::sqrt(M_PI))};
        }
        case Filling::methfessel_paxton: {
            // First order: f = erfc(x) / 2 - x exp(-x^2) / (2 sqrt(pi)),  S = (1 - 2 x^2) exp(-x^2) / (4
            // sqrt(pi))
            const double gauss = std::exp(-x * x) / std::sqrt(M_PI);
            return {0.5 * (std::erfc(x) - x * gauss), (1 - 2 * x * x) * gauss / 4};
        }
    }
    return {0, 0};
}

/// All levels of the spins that share one Fermi level, ascending.
struct Level {
    double e, capacity;
    int spin;
    Eigen::Index row, k;
};

std::vector<Level> collect(const std::vector<Eigen::MatrixXd>& levels, const Eigen::VectorXd& weights,
                           double capacity, int first_spin, int last_spin) {
    std::vector<Level> all;
    for (int s = first_spin; s <= last_spin; ++s) {
        const Eigen::MatrixXd& e = levels[static_cast<std::size_t>(s)];
        for (Eigen::Index k = 0; k < e.cols(); ++k)
            for (Eigen::Index i = 0; i < e.rows(); ++i)
                all.push_back({e(i, k), capacity * weights(k), s, i, k});
    }
    std::stable_sort(all.begin(), all.end(), [](const Level& a, const Level& b) { return a.e < b.e; });
    return all;
}

/// Step filling: everything below the Fermi level is full, degenerate levels at it share what is left.
double occupy_cold(const std::vector<Level>& all, double number, std::vector<double>& f) {
    double below = 0;
    std::size_t i = 0;
    while (i < all.size()) {
        std::size_t end = i;
        double capacity = 0;
        while (end < all.size() && all[end].e - all[i].e < degenerate) capacity += all[end++].capacity;
        const double fraction = std::clamp((number - below) / capacity, 0.0, 1.0);
        std::fill(f.begin() + static_cast<long>(i), f.begin() + static_cast<long>(end), fraction);
        if (fraction < 1 - 1e-10) return i > 0 && fraction < 1e-10 ? (all[i - 1].e + all[i].e) / 2 : all[i].e;
        below += capacity;
        i = end;
    }
    return all.empty() ? 0 : all.back().e;
}

double electrons_at(const std::vector<Level>& all, double mu, double kT, Filling filling) {
    double n = 0;
    for (const Level& level : all) n += level.capacity * fill(filling, (level.e - mu) / kT).f;
    return n;
}

/// The Fermi level by bisection; in a gap, where any value would do, the middle of the gap.
double find_fermi_level(const std::vector<Level>& all, double number, double kT, Filling filling) {
    double below = 0;
    std::size_t lowest_empty = 0;
    while (lowest_empty < all.size() && below < number - 1e-10) below += all[lowest_empty++].capacity;
    if (lowest_empty > 0 && lowest_empty < all.size() && below < number + 1e-10) {
        const double middle = (all[lowest_empty - 1].e + all[lowest_empty].e) / 2;
        if (std::abs(electrons_at(all, middle, kT, filling) - number) < 1e-12 * number) return middle;
    }
    double low = all.front().e - 40 * kT - 1, high = all.back().e + 40 * kT + 1;
    while (true) {
        const double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) return middle;
        (electrons_at(all, middle, kT, filling) < number ? low : high) = middle;
    }
}

}  // namespace

Occupations occupy(const std::vector<Eigen::MatrixXd>& levels, const Eigen::VectorXd& weights,
                   const Electrons& electrons) {
    const int n_spins = electrons.n_spins;
    const double capacity = 2.0 / n_spins;
    Occupations result;
    for (const Eigen::MatrixXd& e : levels) {
        if (!e.allFinite())
            throw NumericalError(
                "the energies of the levels are not finite numbers: the Hamiltonian holds numbers that are "
                "not finite, or the structure is unphysical");
        result.f.push_back(Eigen::MatrixXd::Zero(e.rows(), e.cols()));
    }
    result.fermi_levels.assign(static_cast<std::size_t>(n_spins), 0.0);
    // F rises from its value at kT = 0 by dF = -TS d(kT) / kT. With TS ~ (kT)^p this is -TS / p: p = 2 with
    // Fermi and Gauss, 4 with Methfessel and Paxton of first order.
    if (electrons.kT > cold && electrons.filling == Filling::methfessel_paxton)
        result.ts_share_at_zero = 0.25;

    double highest = -std::numeric_limits<double>::infinity(),
           lowest = std::numeric_limits<double>::infinity();
    const auto fill_group = [&](int first_spin, int last_spin, double number) {
        const std::vector<Level> all = collect(levels, weights, capacity, first_spin, last_spin);
        double most = 0;
        for (const Level& level : all) most += level.capacity;
        if (number < -1e-10 || number > most + 1e-10)
            throw InputError(
                fmt::format("{:.6g} electrons do not fit into levels for 0 to {:.6g}: check the charge and "
                            "the unpaired electrons",
                            number, most));
        std::vector<double> f(all.size(), 0.0);
        double mu = 0;
        const bool step = electrons.kT <= cold || number < 1e-10 || number > most - 1e-10;
        if (step)
            mu = occupy_cold(all, number, f);
        else
            mu = find_fermi_level(all, number, electrons.kT, electrons.filling);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Level& level = all[i];
            if (!step) {
                const Filled filled = fill(electrons.filling, (level.e - mu) / electrons.kT);
                f[i] = filled.f;
                result.ts += electrons.kT * level.capacity * filled.entropy;
            }
            result.f[static_cast<std::size_t>(level.spin)](level.row, level.k) = capacity * f[i];
            result.band_energy += level.capacity * f[i] * level.e;
            (f[i] >= 0.5 ? highest : lowest) =
                f[i] >= 0.5 ? std::max(highest, level.e) : std::min(lowest, level.e);
        }
        for (int s = first_spin; s <= last_spin; ++s) result.fermi_levels[static_cast<std::size_t>(s)] = mu;
    };
    if (n_spins == 2 && electrons.unpaired) {
        fill_group(0, 0, (electrons.number + *electrons.unpaired) / 2);
        fill_group(1, 1, (electrons.number - *electrons.unpaired) / 2);
    } else {
        fill_group(0, n_spins - 1, electrons.number);
    }
    result.gap = std::isfinite(highest) && std::isfinite(lowest) ? std::max(0.0, lowest - highest)
                                                                 : std::numeric_limits<double>::infinity();
    return result;
}

}  // namespace stembridge::tb

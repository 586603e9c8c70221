// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/observables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::md {

double kinetic_energy(const Structure& structure) {
    if (structure.velocities.cols() == 0) return 0;
    return 0.5 * structure.velocities.colwise().squaredNorm().dot(structure.masses());
}

double kinetic_temperature(double kinetic, int degrees_of_freedom) {
    return degrees_of_freedom > 0 ? 2 * kinetic / degrees_of_freedom : 0;
}

double drift_per_atom(std::span<const double> times, std::span<const double> conserved, int n_atoms) {
    if (times.size() != conserved.size() || times.empty() || n_atoms < 1)
        throw InputError("a drift needs as many times as values, and at least one atom");
    const auto n = static_cast<double>(times.size());
    const double mean_t = std::accumulate(times.begin(), times.end(), 0.0) / n;
    const double mean_y = std::accumulate(conserved.begin(), conserved.end(), 0.0) / n;
    double ty = 0, tt = 0;
    for (std::size_t k = 0; k < times.size(); ++k) {
        ty += (times[k] - mean_t) * (conserved[k] - mean_y);
        tt += (times[k] - mean_t) * (times[k] - mean_t);
    }
    if (tt == 0) throw InputError("a drift needs at least two different times");
    return ty / tt / n_atoms;
}

BondStatistics::BondStatistics(double tolerance, double low, double width, int n_bins)
    : tolerance_(tolerance), low_(low), width_(width), n_bins_(n_bins) {
    if (!(tolerance > 0) || !(width > 0) || n_bins < 1)
        throw InputError("bond statistics need a positive tolerance and bin width, and at least one bin");
}

void BondStatistics::add(const Structure& frame) {
    ++frames_;
    double largest_radius = 0;
    for (const int z : frame.atomic_numbers) largest_radius = std::max(largest_radius, covalent_radius(z));
    if (frame.size() == 0) return;
    const NeighborList neighbors(frame, tolerance_ * 2 * largest_radius);
    for (int i = 0; i < frame.size(); ++i) {
        const int z_i = frame.atomic_numbers[static_cast<std::size_t>(i)];
        for (const Neighbor& pair : neighbors.of(i)) {
            // Each bond once; one between an atom and its own image stands twice at that atom.
            if (pair.j < i || (pair.j == i && pair.image < std::array<int, 3>{0, 0, 0})) continue;
            const int z_j = frame.atomic_numbers[static_cast<std::size_t>(pair.j)];
            if (pair.distance > tolerance_ * (covalent_radius(z_i) + covalent_radius(z_j))) continue;
            const auto [first, second] = std::minmax(element_symbol(z_i), element_symbol(z_j));
            Sums& s = sums_[fmt::format("{}-{}", first, second)];
            if (s.count == 0) {
                s.shortest = s.longest = pair.distance;
                s.histogram.assign(static_cast<std::size_t>(n_bins_), 0);
            }
            ++s.count;
            s.sum += pair.distance - low_;
            s.squares += (pair.distance - low_) * (pair.distance - low_);
            s.shortest = std::min(s.shortest, pair.distance);
            s.longest = std::max(s.longest, pair.distance);
            const double bin = std::floor((pair.distance - low_) / width_);
            if (bin >= 0 && bin < n_bins_) ++s.histogram[static_cast<std::size_t>(bin)];
        }
    }
}

std::map<std::string, BondLengths> BondStatistics::lengths() const {
    std::map<std::string, BondLengths> result;
    for (const auto& [name, s] : sums_) {
        const auto n = static_cast<double>(s.count);
        const double mean = s.sum / n;
        result[name] = {.count = s.count,
                        .mean = low_ + mean,
                        .deviation = std::sqrt(std::max(0.0, s.squares / n - mean * mean)),
                        .shortest = s.shortest,
                        .longest = s.longest,
                        .histogram = s.histogram};
    }
    return result;
}

State BondStatistics::save() const {
    State state;
    state.put("frames", frames_);
    state.put("bins", std::vector<double>{tolerance_, low_, width_, static_cast<double>(n_bins_)});
    std::string names;
    for (const auto& [name, s] : sums_) {
        names.append(name).append(" ");
        state.put(name + "/count", s.count);
        state.put(name + "/sums", std::vector<double>{s.sum, s.squares, s.shortest, s.longest});
        state.put(name + "/histogram", s.histogram);
    }
    state.put("names", names);
    return state;
}

void BondStatistics::restore(const State& state) {
    if (state.get<std::vector<double>>("bins") !=
        std::vector<double>{tolerance_, low_, width_, static_cast<double>(n_bins_)})
        throw FileError("the bond statistics of the checkpoint were made with other bins");
    frames_ = state.integer("frames");
    sums_.clear();
    std::istringstream names(state.get<std::string>("names"));
    for (std::string name; names >> name;) {
        const auto& sums = state.get<std::vector<double>>(name + "/sums");
        const auto& histogram = state.get<std::vector<std::int64_t>>(name + "/histogram");
        if (sums.size() != 4 || histogram.size() != static_cast<std::size_t>(n_bins_))
            throw FileError("the bond statistics of " + name + " in the checkpoint have the wrong size");
        sums_[name] = {state.integer(name + "/count"), sums[0], sums[1], sums[2], sums[3], histogram};
    }
}

}  // namespace stembridge::md

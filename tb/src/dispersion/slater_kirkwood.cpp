// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dispersion/bonded_neighbors.hpp"
#include "dispersion/pair_model.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {
namespace {

/// Parameters of an element: polarisability by number of bonded neighbours (0 to 5), van der Waals radius,
/// effective charge, and the covalent radius that decides what is bonded.
struct Element {
    int atomic_number;
    std::array<double, 6> polarisability_angstrom3;
    double radius_angstrom, charge, covalent_radius_angstrom;
};

constexpr Element elements[] = {
    {1, {0.386, 0.396, 0.400, 0.410, 0.410, 0.410}, 3.5, 0.80, 0.40},
    {6, {1.382, 1.382, 1.382, 1.064, 1.064, 1.064}, 3.8, 2.50, 0.76},
    {7, {1.030, 1.030, 1.090, 1.090, 1.090, 1.090}, 3.8, 2.82, 0.71},
    {8, {0.560, 0.560, 0.560, 0.560, 0.560, 0.560}, 3.8, 3.15, 0.66},
    {15, {1.600, 1.600, 1.600, 1.600, 1.600, 1.600}, 4.7, 4.50, 1.07},
    {16, {3.000, 3.000, 3.000, 3.000, 3.000, 3.000}, 4.7, 4.80, 1.05},
};

const Element& element_of(int z) {
    for (const Element& e : elements)
        if (e.atomic_number == z) return e;
    throw UnsupportedError(fmt::format(
        "Slater-Kirkwood dispersion has no parameters for {}; it knows H, C, N, O, P, S: use \"lj\"",
        element_symbol(z)));
}

class SlaterKirkwood final : public PairModel {
  public:
    explicit SlaterKirkwood(BondedNeighbors& bonded) : bonded_(&bonded) {}
    std::vector<int> assign(const Structure& structure) override {
        types_.clear();
        std::vector<int> result;
        const auto& bonded = bonded_->of(structure);
        for (std::size_t i = 0; i < bonded.size(); ++i) {
            const Element& e = element_of(structure.atomic_numbers[i]);
            const double p =
                e.polarisability_angstrom3[static_cast<std::size_t>(std::min<long>(bonded[i], 5))] *
                std::pow(units::angstrom, 3);
            const Type type{p, e.radius_angstrom * units::angstrom, 0.75 * std::sqrt(e.charge * p * p * p)};
            const auto found = std::find(types_.begin(), types_.end(), type);
            result.push_back(static_cast<int>(found - types_.begin()));
            if (found == types_.end()) types_.push_back(type);
        }
        return result;
    }
    int n_types() const override { return static_cast<int>(types_.size()); }

    double c6(int a, int b) const override {
        // 2 C_a C_b p_a p_b / (p_a^2 C_b + p_b^2 C_a),  C = 3/4 sqrt(N p^3)
        const Type &s = type(a), &t = type(b);
        return 2 * s.c6 * t.c6 * s.polarisability * t.polarisability /
               (s.polarisability * s.polarisability * t.c6 + t.polarisability * t.polarisability * s.c6);
    }

    std::array<double, 2> energy(int a, int b, double r) const override {
        // -C6 / r^6 f,  f = (1 - exp(-3 (r / R0)^7))^4,  R0 = (R_a^3 + R_b^3) / (R_a^2 + R_b^2)
        const double x = 3 * std::pow(r / mean_radius(a, b), 7), e = std::exp(-x), h = -std::expm1(-x);
        const double f = h * h * h * h, df = 28 * h * h * h * e * x / r;
        const double c = c6(a, b) / std::pow(r, 6);
        return {-c * f, c * (6 * f / r - df)};
    }

    double range(int a, int b, double tolerance) const override {
        const double r0 = mean_radius(a, b), excess = 4 * c6(a, b) / (std::pow(r0, 6) * tolerance);
        return r0 * std::pow(std::max(1.0, std::log(excess) / 3), 1.0 / 7);
    }

  private:
    struct Type {
        double polarisability, radius, c6;
        bool operator==(const Type&) const = default;
    };
    const Type& type(int a) const { return types_[static_cast<std::size_t>(a)]; }
    double mean_radius(int a, int b) const {
        const double s = type(a).radius, t = type(b).radius;
        return (s * s * s + t * t * t) / (s * s + t * t);
    }
    BondedNeighbors* bonded_;
    std::vector<Type> types_;
};

std::vector<std::int64_t> count_bonded(const Structure& structure) {
    double longest = 1;
    for (const int z : structure.atomic_numbers)
        longest = std::max(longest, 2 * element_of(z).covalent_radius_angstrom * units::angstrom);
    const NeighborList near(structure, longest);
    std::vector<std::int64_t> result;
    for (int i = 0; i < structure.size(); ++i) {
        const auto radius = [&](int atom) {
            return element_of(structure.atomic_numbers[static_cast<std::size_t>(atom)])
                .covalent_radius_angstrom;
        };
        const auto& pairs = near.of(i);
        result.push_back(std::count_if(pairs.begin(), pairs.end(), [&](const Neighbor& p) {
            return p.distance <= (radius(i) + radius(p.j)) * units::angstrom;
        }));
    }
    return result;
}

}  // namespace

const std::vector<std::int64_t>& BondedNeighbors::of(const Structure& structure) {
    const std::vector<std::int64_t> atoms(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    if (atoms != atomic_numbers_) {
        counts_ = count_bonded(structure);
        atomic_numbers_ = atoms;
    }
    return counts_;
}

State BondedNeighbors::save() const {
    State state;
    if (counts_.empty()) return state;
    state.put("atomic_numbers", atomic_numbers_);
    state.put("counts", counts_);
    return state;
}

void BondedNeighbors::restore(const State& state) {
    *this = {};
    if (!state.has("counts")) return;
    const auto& atoms = state.get<std::vector<std::int64_t>>("atomic_numbers");
    const auto& counts = state.get<std::vector<std::int64_t>>("counts");
    if (atoms.size() != counts.size() ||
        std::any_of(counts.begin(), counts.end(), [](auto n) { return n < 0; }))
        throw FileError("the bonded neighbours in the checkpoint do not fit their atoms");
    atomic_numbers_ = atoms;
    counts_ = counts;
}

std::unique_ptr<PairModel> make_slater_kirkwood(BondedNeighbors& bonded) {
    return std::make_unique<SlaterKirkwood>(bonded);
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "support/spring_calculator.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "stembridge/base/elements.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::testing {
namespace {

Eigen::Vector3d mean_of(const std::vector<Eigen::Vector3d>& vectors) {
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    for (const Eigen::Vector3d& v : vectors) sum += v;
    return sum / static_cast<double>(vectors.size());
}

double cosine(const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
    return a.dot(b) / (a.norm() * b.norm());
}

}  // namespace

SpringCalculator::SpringCalculator(const Structure& first, SpringOptions options)
    : options_(options),
      arms_(static_cast<std::size_t>(first.size())),
      rest_cosines_(arms_.size()),
      rest_bending_(arms_.size(), Eigen::Vector3d::Zero()) {
    double radius = 0;
    for (const int z : first.atomic_numbers) radius = std::max(radius, covalent_radius(z));
    const NeighborList neighbors(first, options.tolerance * 2 * radius);
    for (int i = 0; i < first.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        std::vector<Eigen::Vector3d> r;
        for (const Neighbor& pair : neighbors.of(i)) {
            const double bonded =
                options.tolerance * (covalent_radius(first.atomic_numbers[at]) +
                                     covalent_radius(first.atomic_numbers[static_cast<std::size_t>(pair.j)]));
            if (pair.distance > bonded) continue;
            arms_[at].push_back({pair.j, pair.image, options.stretch * pair.distance});
            r.push_back(pair.r_ij);
        }
        for (std::size_t b = 0; b < r.size(); ++b)
            for (std::size_t a = 0; a < b; ++a) rest_cosines_[at].push_back(cosine(r[a], r[b]));
        if (r.size() == 3) rest_bending_[at] = mean_of(r);
    }
}

void SpringCalculator::evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) {
    ++calls_;
    out = {};
    out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
    for (int i = 0; i < structure.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        std::vector<Eigen::Vector3d> r;
        for (const Arm& arm : arms_[at])
            r.emplace_back(structure.positions.col(arm.j) - structure.positions.col(i) +
                           structure.cell.vectors *
                               Eigen::Vector3d(arm.image[0], arm.image[1], arm.image[2]));
        // dE/dr of an arm pulls at both its ends.
        const auto pull = [&](std::size_t a, const Eigen::Vector3d& gradient) {
            out.forces.col(arms_[at][a].j) -= gradient;
            out.forces.col(i) += gradient;
        };
        std::size_t angle = 0;
        for (std::size_t b = 0; b < r.size(); ++b) {
            // Each bond stands at both its atoms: half of it here.
            const double length = r[b].norm(), stretch = length - arms_[at][b].rest;
            out.energy += 0.25 * options_.bond * stretch * stretch;
            pull(b, 0.5 * options_.bond * stretch / length * r[b]);
            for (std::size_t a = 0; a < b; ++a) {
                const double c = cosine(r[a], r[b]), off = c - rest_cosines_[at][angle++];
                const double ra = r[a].norm(), rb = r[b].norm();
                out.energy += 0.5 * options_.angle * off * off;
                pull(a, options_.angle * off * (r[b] / (ra * rb) - c * r[a] / (ra * ra)));
                pull(b, options_.angle * off * (r[a] / (ra * rb) - c * r[b] / (rb * rb)));
            }
        }
        if (r.size() == 3) {
            const Eigen::Vector3d off = mean_of(r) - rest_bending_[at];
            out.energy += 0.5 * options_.bending * off.squaredNorm();
            for (std::size_t a = 0; a < 3; ++a) pull(a, options_.bending / 3 * off);
        }
    }
    out.energy_zero = out.energy;
}

void MorseCalculator::evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) {
    out = {};
    out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
    for (int i = 0; i < structure.size(); ++i)
        for (int j = 0; j < i; ++j) {
            const Eigen::Vector3d r = structure.positions.col(j) - structure.positions.col(i);
            const double length = r.norm(), e = std::exp(-a_ * (length - r0_));
            out.energy += depth_ * (1 - e) * (1 - e);
            const Eigen::Vector3d gradient = 2 * depth_ * a_ * e * (1 - e) / length * r;
            out.forces.col(i) += gradient;
            out.forces.col(j) -= gradient;
        }
    out.energy_zero = out.energy;
}

void WellCalculator::evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) {
    out = {};
    out.energy = out.energy_zero = 0.5 * k_ * structure.positions.squaredNorm();
    out.forces = -k_ * structure.positions;
}

void NoisyCalculator::evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                               const Context& context) {
    exact_.evaluate(structure, wanted, out, context);
    out.energy += energy_noise_ * random_.normal();
    for (double& f : out.forces.reshaped()) f += force_noise_ * random_.normal();
}

State NoisyCalculator::save() const {
    std::vector<std::int64_t> words;
    for (const std::uint64_t word : random_.state()) words.push_back(std::bit_cast<std::int64_t>(word));
    State state;
    state.put("random", words);
    return state;
}

void NoisyCalculator::restore(const State& state) {
    const auto& words = state.get<std::vector<std::int64_t>>("random");
    std::array<std::uint64_t, 4> random{};
    for (std::size_t k = 0; k < 4; ++k) random[k] = std::bit_cast<std::uint64_t>(words.at(k));
    random_.set_state(random);
}

Structure graphene_sheet(int nx, int ny, bool periodic, double bond_length) {
    Structure sheet;
    const double a = std::sqrt(3.0) * bond_length, b = 3 * bond_length;
    sheet.cell.vectors = Eigen::Vector3d(nx * a, ny * b, 40).asDiagonal();
    sheet.cell.periodic = {periodic, periodic, false};
    for (int x = 0; x < nx; ++x)
        for (int y = 0; y < ny; ++y)
            for (const auto& [u, v] :
                 {std::pair{0.0, 0.0}, std::pair{0.5, 1.0 / 6}, std::pair{0.5, 0.5}, std::pair{0.0, 2.0 / 3}})
                sheet.add(6, Eigen::Vector3d((x + u) * a, (y + v) * b, 20));
    return sheet;
}

Structure rattled(Structure structure, double deviation, std::uint64_t seed) {
    Random random(seed);
    for (double& x : structure.positions.reshaped()) x += deviation * random.normal();
    return structure;
}

Context seeded(std::uint64_t seed) {
    Context context;
    context.seed = seed;
    return context;
}

bool same_bits(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(double)) == 0;
}

}  // namespace stembridge::testing

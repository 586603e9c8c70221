// SPDX-License-Identifier: Apache-2.0
// The first path of an elastic band.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "stembridge/base/errors.hpp"
#include "stembridge/md/elastic_band.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/structure/tracking.hpp"

namespace stembridge::md {
namespace {

bool anything_fixed(const Structure& structure) {
    return structure.fixed.cols() != 0 && structure.fixed.any();
}

/// Shifted and turned so that the squares of the distances are least.
/// @source Kabsch, Acta Cryst. A 34, 827 (1978)
Eigen::Matrix3Xd turned_onto(const Eigen::Matrix3Xd& positions, const Eigen::Matrix3Xd& reference) {
    const Eigen::Vector3d from = positions.rowwise().mean(), to = reference.rowwise().mean();
    const Eigen::Matrix3d product = (reference.colwise() - to) * (positions.colwise() - from).transpose();
    const Eigen::JacobiSVD<Eigen::Matrix3d> svd(product, Eigen::ComputeFullU | Eigen::ComputeFullV);
    Eigen::Vector3d signs = Eigen::Vector3d::Ones();
    signs(2) = (svd.matrixU() * svd.matrixV().transpose()).determinant() < 0 ? -1 : 1;  // no mirror
    const Eigen::Matrix3d turn = svd.matrixU() * signs.asDiagonal() * svd.matrixV().transpose();
    return (turn * (positions.colwise() - from)).colwise() + to;
}

/// Pair distances that go evenly from one state to the other:
///   S = sum over pairs of (d_0 - d)^2 / d^4
class PairDistances final : public Calculator {
  public:
    struct Pair {
        int i, j;
        std::array<int, 3> image;
        double distance;  ///< wanted
    };
    explicit PairDistances(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {}
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        out = {};
        out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
        for (const Pair& pair : pairs_) {
            const Eigen::Vector3d r =
                structure.positions.col(pair.j) - structure.positions.col(pair.i) +
                structure.cell.vectors * Eigen::Vector3d(pair.image[0], pair.image[1], pair.image[2]);
            const double d = std::max(r.norm(), 0.1), miss = pair.distance - d;
            out.energy += miss * miss / std::pow(d, 4);
            const double slope = -2 * miss / std::pow(d, 4) - 4 * miss * miss / std::pow(d, 5);
            out.forces.col(pair.i) += slope * r / d;
            out.forces.col(pair.j) -= slope * r / d;
        }
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "pair distances"; }

  private:
    std::vector<Pair> pairs_;
};

/// Pairs further apart than this in both states have no part in the path.
constexpr double longest_pair = 5 * units::angstrom;

}  // namespace

Structure brought_near(const Structure& structure, const Structure& reference) {
    if (structure.atomic_numbers != reference.atomic_numbers)
        throw InputError(fmt::format(
            "the two ends of a path must have the same atoms in the same order: one is {}, the other {}",
            reference.formula(), structure.formula()));
    if (structure.cell.periodic != reference.cell.periodic ||
        (structure.cell.is_periodic() &&
         (structure.cell.vectors - reference.cell.vectors).norm() > 1e-6 * reference.cell.vectors.norm()))
        throw InputError("the two ends of a path must have the same cell");
    Structure result = unwrapped(structure, reference);
    result.cell = reference.cell;
    result.velocities.resize(3, 0);
    result.fixed = reference.fixed;
    if (!reference.cell.is_periodic() && !anything_fixed(reference) && reference.size() > 1)
        result.positions = turned_onto(structure.positions, reference.positions);
    for (int atom = 0; atom < reference.size(); ++atom)
        for (int axis = 0; axis < 3; ++axis) {
            if (!reference.is_fixed(axis, atom)) continue;
            const double there = reference.positions(axis, atom);
            if (std::abs(result.positions(axis, atom) - there) > 1e-6)
                throw InputError(fmt::format(
                    "coordinate {} of atom {} is fixed but differs by {:.3g} angstrom between the two ends",
                    "xyz"[axis], atom + 1, (result.positions(axis, atom) - there) / units::angstrom));
            result.positions(axis, atom) = there;
        }
    return result;
}

std::vector<Structure> straight_path(const Structure& start, const Structure& end, int n) {
    if (n < 3) throw InputError(fmt::format("{} images are too few for a path; 3 are needed at least", n));
    const Structure last = brought_near(end, start);
    std::vector<Structure> images(static_cast<std::size_t>(n), start);
    for (int k = 0; k < n; ++k) {
        Structure& image = images[static_cast<std::size_t>(k)];
        const double fraction = static_cast<double>(k) / (n - 1);
        image.velocities.resize(3, 0);
        if (k == n - 1)
            image.positions = last.positions;
        else
            image.positions += fraction * (last.positions - start.positions);
    }
    return images;
}

std::vector<Structure> pair_distance_path(const Structure& start, const Structure& end, int n) {
    std::vector<Structure> images = straight_path(start, end, n);
    using Key = std::tuple<int, int, std::array<int, 3>>;
    std::map<Key, std::pair<double, double>> pairs;
    const auto distance = [](const Structure& s, const Key& key) {
        const auto& [i, j, image] = key;
        return (s.positions.col(j) - s.positions.col(i) +
                s.cell.vectors * Eigen::Vector3d(image[0], image[1], image[2]))
            .norm();
    };
    for (const Structure* state : {&images.front(), &images.back()}) {
        const NeighborList neighbors(*state, longest_pair);
        for (int i = 0; i < state->size(); ++i)
            for (const Neighbor& pair : neighbors.of(i)) {
                if (pair.j <= i) continue;
                const Key key = {i, pair.j, pair.image};
                pairs[key] = {distance(images.front(), key), distance(images.back(), key)};
            }
    }
    int made = 0;
    const auto next_calculator = [&]() -> std::unique_ptr<Calculator> {
        const double fraction = static_cast<double>(made++) / (n - 1);
        std::vector<PairDistances::Pair> wanted;
        for (const auto& [key, ends] : pairs)
            wanted.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key),
                              ends.first + fraction * (ends.second - ends.first)});
        return std::make_unique<PairDistances>(std::move(wanted));
    };
    BandOptions options;
    options.climb = false;
    options.max_force = 1e-3;
    options.max_steps = 200;
    ElasticBand band(images, next_calculator, 1, options);
    band.run();
    return band.images();
}

}  // namespace stembridge::md

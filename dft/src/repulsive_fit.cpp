// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/repulsive_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "nnls.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::dft {
namespace {

/// int_{-1}^x hat and its integral; hat(x) = max(0, 1 - |x|).
double first_integral(double x) {
    if (x <= -1) return 0;
    if (x <= 0) return 0.5 * (1 + x) * (1 + x);
    if (x < 1) return 1 - 0.5 * (1 - x) * (1 - x);
    return 1;
}
double second_integral(double x) {
    if (x <= -1) return 0;
    if (x <= 0) return (1 + x) * (1 + x) * (1 + x) / 6;
    if (x < 1) return x + (1 - x) * (1 - x) * (1 - x) / 6;
    return x;
}

std::string pair_name(const ElementPair& pair) {
    return element_symbol(pair.first) + "-" + element_symbol(pair.second);
}

/// The unknowns: curvatures of all pairs, then the constants.
class Problem {
  public:
    Problem(const std::vector<ReferenceStructure>& references,
            const std::vector<ElectronicResult>& electronic, const RepulsiveFitOptions& options);
    RepulsiveFit solve(const std::string& left_out_group) const;
    const std::vector<ReferenceStructure>& references() const { return references_; }

  private:
    struct Pair {
        RepulsivePairOptions options;
        double shortest = 0;  ///< distance in the data
        double first = 0;     ///< knot
        Eigen::Index begin = 0, count = 0;
        std::vector<double> distances;  ///< every pair once
    };
    /// Rows of one structure without weights: the energy, then 3 n forces, then 9 of the virial if it has
    /// one.
    struct Rows {
        Eigen::MatrixXd curvature;  ///< (rows, unknown curvatures)
        Eigen::VectorXd target;     ///< reference - electronic
        Eigen::VectorXd elements;   ///< (constants) number of atoms
        Eigen::Index n_forces = 0, n_virial = 0;
        double weight = 0;
    };
    void find_distances();
    Rows rows_of(std::size_t structure) const;

    const std::vector<ReferenceStructure>& references_;
    const std::vector<ElectronicResult>& electronic_;
    const RepulsiveFitOptions& options_;
    std::map<ElementPair, Pair> pairs_;
    std::map<std::pair<std::string, int>, Eigen::Index> constants_;
    Eigen::Index n_curvatures_ = 0;
    double longest_ = 0;
    std::vector<Rows> rows_;
};

Problem::Problem(const std::vector<ReferenceStructure>& references,
                 const std::vector<ElectronicResult>& electronic, const RepulsiveFitOptions& options)
    : references_(references), electronic_(electronic), options_(options) {
    if (references.size() != electronic.size())
        throw std::logic_error("one electronic result per reference structure is needed");
    if (references.empty()) throw InputError("repulsive fit: there are no reference structures");
    for (const RepulsivePairOptions& p : options.pairs) {
        const ElementPair pair = element_pair(p.first, p.second);
        if (!(p.cutoff > 1 && p.cutoff <= 20 && p.spacing >= 0.02 && p.spacing <= 1 && p.smoothness >= 0 &&
              p.smoothness_growth >= 0 && p.smoothness_growth <= 10))
            throw InputError(fmt::format(
                "repulsive of {}: accepted are a cut-off of 1 to 20 bohr, knots 0.02 to 1 bohr apart, a "
                "smoothness of 0 or more and a growth of it of 0 to 10 / bohr",
                pair_name(pair)));
        if (!pairs_.emplace(pair, Pair{p, p.cutoff, 0, 0, 0, {}}).second)
            throw InputError(fmt::format("repulsive of {}: it stands twice", pair_name(pair)));
        longest_ = std::max(longest_, p.cutoff);
    }
    find_distances();
    for (auto& [name, p] : pairs_) {
        // One whole knot interval below the shortest distance, so that the data determine the rest alone.
        const double span = p.options.cutoff - (p.shortest - p.options.spacing);
        p.count =
            p.distances.empty() ? 0 : static_cast<Eigen::Index>(std::ceil(span / p.options.spacing - 1e-9));
        p.first = p.options.cutoff - static_cast<double>(p.count) * p.options.spacing;
        p.begin = n_curvatures_;
        n_curvatures_ += p.count;
    }
    for (std::size_t s = 0; s < references.size(); ++s) rows_.push_back(rows_of(s));
}

void Problem::find_distances() {
    for (const ReferenceStructure& reference : references_) {
        for (const int z : reference.structure.atomic_numbers)
            constants_.emplace(std::pair(reference.code, z), static_cast<Eigen::Index>(constants_.size()));
        const NeighborList list(reference.structure, longest_);
        for (int i = 0; i < list.n_atoms(); ++i)
            for (const Neighbor& neighbor : list.of(i)) {
                const auto& z = reference.structure.atomic_numbers;
                const ElementPair name =
                    element_pair(z[static_cast<std::size_t>(i)], z[static_cast<std::size_t>(neighbor.j)]);
                const auto found = pairs_.find(name);
                if (found == pairs_.end())
                    throw InputError(
                        fmt::format("structure {}: the pair {} at {:.2f} bohr has no repulsive options; add "
                                    "it to the pairs",
                                    reference.name, pair_name(name), neighbor.distance));
                if (neighbor.distance >= found->second.options.cutoff) continue;
                found->second.shortest = std::min(found->second.shortest, neighbor.distance);
                if (i <= neighbor.j) found->second.distances.push_back(neighbor.distance);
            }
    }
}

Problem::Rows Problem::rows_of(std::size_t structure) const {
    const ReferenceStructure& reference = references_[structure];
    const int n = reference.structure.size();
    Rows rows;
    const ElectronicResult& electronic = electronic_[structure];
    if (reference.stress && !electronic.stress)
        throw std::logic_error("a structure with stress needs the electronic stress");
    rows.n_forces = 3 * n;
    rows.n_virial = reference.stress ? 9 : 0;
    rows.curvature.setZero(1 + rows.n_forces + rows.n_virial, n_curvatures_);
    rows.target.resize(rows.curvature.rows());
    rows.target(0) = reference.energy - electronic.energy;
    rows.target.segment(1, rows.n_forces) = (reference.forces - electronic.forces).reshaped();
    if (reference.stress)
        rows.target.tail<9>() =
            (reference.structure.cell.volume() * (*reference.stress - *electronic.stress)).reshaped();
    rows.elements.setZero(static_cast<Eigen::Index>(constants_.size()));
    for (const int z : reference.structure.atomic_numbers)
        rows.elements(constants_.at({reference.code, z})) += 1;

    const NeighborList list(reference.structure, longest_);
    for (int i = 0; i < n; ++i)
        for (const Neighbor& neighbor : list.of(i)) {
            const auto& z = reference.structure.atomic_numbers;
            const Pair& p = pairs_.at(
                element_pair(z[static_cast<std::size_t>(i)], z[static_cast<std::size_t>(neighbor.j)]));
            if (neighbor.distance >= p.options.cutoff) continue;
            const double d = p.options.spacing;
            for (Eigen::Index k = 0; k < p.count; ++k) {
                // V = sum c_k D^2 I_2(x_k), V' = -sum c_k D I_1(x_k), x_k = (r_k - r) / D.
                const double x = (p.first + static_cast<double>(k) * d - neighbor.distance) / d;
                if (x <= -1) continue;
                rows.curvature(0, p.begin + k) +=
                    0.5 * d * d * second_integral(x);  // each pair is seen twice
                // F_i = V'(r) r_ij / r.
                const double slope = -d * first_integral(x);
                rows.curvature.block<3, 1>(1 + 3 * i, p.begin + k) +=
                    slope * neighbor.r_ij / neighbor.distance;
                // volume * sigma = sum over pairs of V'(r) r_ij r_ij^T / r.
                if (rows.n_virial > 0)
                    rows.curvature.col(p.begin + k).tail<9>() +=
                        (0.5 * slope / neighbor.distance * neighbor.r_ij * neighbor.r_ij.transpose())
                            .reshaped();
            }
        }

    const double largest = reference.forces.size() == 0 ? 0 : reference.forces.cwiseAbs().maxCoeff();
    const double strain = largest / options_.strained_force;
    rows.weight = 1 / (1 + strain * strain);
    for (const std::string& name : {reference.group, reference.name})
        if (const auto factor = options_.weights.find(name); factor != options_.weights.end())
            rows.weight *= factor->second;
    return rows;
}

RepulsiveFit Problem::solve(const std::string& left_out_group) const {
    const auto n_constants = static_cast<Eigen::Index>(constants_.size());
    // Energies couple curvatures and constants; forces and smoothness know the curvatures alone.
    std::vector<std::size_t> used;
    for (std::size_t s = 0; s < rows_.size(); ++s)
        if (references_[s].group != left_out_group && rows_[s].weight > 0) used.push_back(s);
    if (used.empty()) throw InputError("repulsive fit: no structure is left to fit to");

    const auto n_used = static_cast<Eigen::Index>(used.size());
    Eigen::MatrixXd energy(n_used, n_curvatures_), elements(n_used, n_constants);
    Eigen::VectorXd energy_target(n_used);
    Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(n_curvatures_, n_curvatures_);
    Eigen::VectorXd right = Eigen::VectorXd::Zero(n_curvatures_);
    for (Eigen::Index k = 0; k < n_used; ++k) {
        const Rows& rows = rows_[used[static_cast<std::size_t>(k)]];
        const double we = options_.energy_weight * rows.weight, wf = options_.force_weight * rows.weight;
        energy.row(k) = we * rows.curvature.row(0);
        elements.row(k) = we * rows.elements.transpose();
        energy_target(k) = we * rows.target(0);
        const double ws = options_.stress_weight * rows.weight;
        const auto add = [&](Eigen::Index first, Eigen::Index count, double weight) {
            const auto block = rows.curvature.middleRows(first, count);
            gram += weight * weight * (block.transpose() * block);
            right += weight * weight * (block.transpose() * rows.target.segment(first, count));
        };
        add(1, rows.n_forces, wf);
        if (rows.n_virial > 0) add(1 + rows.n_forces, rows.n_virial, ws);
    }
    // The constants may have any sign: take them out by projecting on what they cannot describe.
    const Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> constants(elements);
    const Eigen::MatrixXd projected = energy - elements * constants.solve(energy);
    const Eigen::VectorXd projected_target = energy_target - elements * constants.solve(energy_target);
    gram += projected.transpose() * projected;
    right += projected.transpose() * projected_target;

    // lambda (c_{k-1} - 2 c_k + c_{k+1}), with c = 0 at the cut-off; lambda may grow with the distance as
    // curvatures fall.
    for (const auto& [name, p] : pairs_) {
        const double lambda =
            options_.smoothness * p.options.smoothness * std::sqrt(static_cast<double>(used.size()));
        for (Eigen::Index k = 1; k < p.count; ++k) {
            const double from_cutoff = static_cast<double>(k - p.count) * p.options.spacing;
            const double weight = lambda * std::exp(p.options.smoothness_growth * from_cutoff);
            Eigen::VectorXd row = Eigen::VectorXd::Zero(n_curvatures_);
            row(p.begin + k - 1) = weight;
            row(p.begin + k) = -2 * weight;
            if (k + 1 < p.count) row(p.begin + k + 1) = weight;
            gram += row * row.transpose();
        }
    }

    // Curvatures of the other sign beyond the switch radius: turn their columns round.
    Eigen::VectorXd sign = Eigen::VectorXd::Ones(n_curvatures_);
    for (const auto& [name, p] : pairs_)
        for (Eigen::Index k = 0; k < p.count; ++k)
            if (p.first + static_cast<double>(k) * p.options.spacing > p.options.attractive_beyond)
                sign(p.begin + k) = -1;
    const Eigen::VectorXd c = sign.cwiseProduct(
        nonnegative_least_squares(sign.asDiagonal() * gram * sign.asDiagonal(), sign.cwiseProduct(right)));
    const Eigen::VectorXd mu = constants.solve(energy_target - energy * c);

    RepulsiveFit fit;
    for (const auto& [name, p] : pairs_) {
        fit.distances[name] = p.distances;
        if (p.count == 0) continue;
        const Eigen::VectorXd own = c.segment(p.begin, p.count);
        fit.potentials.emplace(name,
                               RepulsivePotential(p.first, p.options.spacing,
                                                  std::vector<double>(own.data(), own.data() + p.count)));
    }
    for (const auto& [name, k] : constants_) fit.constants[name] = mu(k);
    for (std::size_t s = 0; s < rows_.size(); ++s) {
        const Rows& rows = rows_[s];
        Eigen::VectorXd difference = rows.curvature * c - rows.target;
        difference(0) += rows.elements.dot(mu);
        StructureError error{references_[s].name,
                             references_[s].group,
                             references_[s].structure.size(),
                             difference(0),
                             0,
                             0,
                             {},
                             {}};
        const auto forces = difference.segment(1, rows.n_forces);
        if (rows.n_virial > 0) error.virial_rms = difference.tail<9>().norm() / 3;
        error.force_rms = std::sqrt(forces.squaredNorm() / static_cast<double>(forces.size()));
        error.force_max = forces.cwiseAbs().maxCoeff();
        error.force_errors.assign(forces.begin(), forces.end());
        fit.errors.push_back(error);
    }
    return fit;
}

}  // namespace

ElementPair element_pair(int a, int b) {
    return {std::min(a, b), std::max(a, b)};
}

RepulsivePotential::RepulsivePotential(double first, double spacing, std::vector<double> curvature)
    : first_(first), spacing_(spacing), curvature_(std::move(curvature)) {}

std::array<double, 3> RepulsivePotential::evaluate(double r) const {
    std::array<double, 3> v{};
    for (std::size_t k = 0; k < curvature_.size(); ++k) {
        const double x = (first_ + spacing_ * static_cast<double>(k) - r) / spacing_;
        v[0] += curvature_[k] * spacing_ * spacing_ * second_integral(x);
        v[1] -= curvature_[k] * spacing_ * first_integral(x);
        v[2] += curvature_[k] * std::max(0.0, 1 - std::abs(x));
    }
    return v;
}

tb::SkfRepulsive RepulsivePotential::as_spline() const {
    // exp(-a1 r + a2) + a3 continues V, V' and V'' at the first knot; no data lie below the second knot, so
    // the curvature at the first may be raised until the head is at least as steep as is usual (1.5 / bohr).
    std::vector<double> c = curvature_;
    constexpr double least_decay = 1.5;
    const double slope_of_others = -evaluate(first_)[1] - 0.5 * c.front() * spacing_;
    c.front() =
        std::max({c.front(), least_decay * slope_of_others / (1 - 0.5 * least_decay * spacing_), 1e-3});
    const RepulsivePotential raised(first_, spacing_, c);

    std::vector<tb::SkfRepulsive::Interval> intervals;
    for (std::size_t k = 0; k < c.size(); ++k) {
        const double begin = first_ + spacing_ * static_cast<double>(k);
        const auto [v, slope, curvature] = raised.evaluate(begin);
        const double next = k + 1 < c.size() ? c[k + 1] : 0;
        intervals.push_back(
            {begin, begin + spacing_, {v, slope, 0.5 * c[k], (next - c[k]) / (6 * spacing_), 0, 0}});
    }
    const auto [v, slope, curvature] = raised.evaluate(first_);
    const double a1 = -curvature / slope;
    const double a2 = std::log(-slope / a1) + a1 * first_;
    return tb::SkfRepulsive::spline({a1, a2, v - std::exp(-a1 * first_ + a2)}, std::move(intervals));
}

RepulsiveFit fit_repulsive(const std::vector<ReferenceStructure>& references,
                           const std::vector<ElectronicResult>& electronic,
                           const RepulsiveFitOptions& options) {
    return Problem(references, electronic, options).solve("");
}

std::vector<StructureError> leave_one_group_out(const std::vector<ReferenceStructure>& references,
                                                const std::vector<ElectronicResult>& electronic,
                                                const RepulsiveFitOptions& options, const Context& context) {
    const Problem problem(references, electronic, options);
    std::set<std::string> groups;
    for (const ReferenceStructure& reference : references) groups.insert(reference.group);
    if (groups.size() == 1) return {};
    std::vector<StructureError> errors(references.size());
    std::int64_t done = 0;
    for (const std::string& group : groups) {
        if (context.stop_requested()) throw StoppedError("repulsive fit: stopped");
        context.progress("fits without one group", done++, static_cast<std::int64_t>(groups.size()));
        const RepulsiveFit fit = problem.solve(group);
        double mean = 0;
        int count = 0;
        for (const StructureError& error : fit.errors)
            if (error.group == group) {
                mean += error.energy;
                ++count;
            }
        for (std::size_t s = 0; s < references.size(); ++s)
            if (references[s].group == group) {
                errors[s] = fit.errors[s];
                errors[s].energy -= mean / count;
            }
    }
    return errors;
}

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// A Gaussian Markov field on the graph of bonds, with Student's weights.
#include "lattice_prior.hpp"

#include <Eigen/Sparse>
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "filters.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/calibrate.hpp"

namespace stembridge::ml {
namespace {

using Vector = Eigen::Vector2d;
using SparseMatrix = Eigen::SparseMatrix<double>;

/// An atom and the three C around it.
struct Star {
    int centre;
    std::array<int, 3> around;
    double weight = 1;
};

std::vector<Star> stars(const Detections& atoms, const std::vector<Vector>& positions) {
    const double bond = graphene_lattice_angstrom / std::sqrt(3.0), reach = 1.35 * bond;
    const NeighborBins bins(positions, reach);
    std::vector<Star> result;
    std::vector<int> near;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (atoms[i].atomic_number != 6) continue;
        bins.within(positions[i], reach, near);
        std::erase(near, static_cast<int>(i));
        if (near.size() != 3 || std::any_of(near.begin(), near.end(), [&](int j) {
                return atoms[static_cast<std::size_t>(j)].atomic_number != 6;
            }))
            continue;
        result.push_back({static_cast<int>(i), {near[0], near[1], near[2]}});
    }
    return result;
}

Vector deviation(const Star& star, const std::vector<Vector>& x) {
    Vector sum = Vector::Zero();
    for (const int j : star.around) sum += x[static_cast<std::size_t>(j)];
    return x[static_cast<std::size_t>(star.centre)] - sum / 3;
}

/// Diagonal of the inverse by probing: atoms that share a probe are far apart, and what they still say of
/// each other has random signs.
Eigen::VectorXd inverse_diagonal(const Eigen::SimplicialLDLT<SparseMatrix>& factor,
                                 const std::vector<Vector>& positions) {
    constexpr double cell = 0.9;
    constexpr int colours = 9;
    std::map<std::pair<int, int>, std::vector<int>> probes;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        const auto colour = [&](double x) {
            const int k = static_cast<int>(std::floor(x / cell)) % colours;
            return k < 0 ? k + colours : k;
        };
        probes[{colour(positions[i].x()), colour(positions[i].y())}].push_back(static_cast<int>(i));
    }
    Eigen::VectorXd diagonal(static_cast<Eigen::Index>(positions.size()));
    Random random(1);
    for (const auto& [colour, members] : probes) {
        Eigen::VectorXd probe = Eigen::VectorXd::Zero(diagonal.size());
        for (const int i : members) probe(i) = random.uniform() < 0.5 ? -1 : 1;
        const Eigen::VectorXd answer = factor.solve(probe);
        for (const int i : members) diagonal(i) = probe(i) * answer(i);
    }
    return diagonal;
}

}  // namespace

double apply_lattice_prior(Detections& atoms, const Eigen::Matrix2d& pixel_per_angstrom) {
    std::vector<Vector> found;
    for (const Detection& atom : atoms) found.emplace_back(atom.x_angstrom, atom.y_angstrom);
    std::vector<Star> field = stars(atoms, found);
    if (field.size() < 20) return 0;
    const auto variance = [&](int i) {
        return std::pow(atoms[static_cast<std::size_t>(i)].sigma_angstrom, 2);
    };
    // Errors of the fit in the deviation of a star: sigma_i^2 + sum sigma_j^2 / 9.
    const auto noise = [&](const Star& star) {
        double sum = variance(star.centre);
        for (const int j : star.around) sum += variance(j) / 9;
        return sum;
    };
    std::vector<float> squares, noises;
    for (const Star& star : field) {
        squares.push_back(static_cast<float>(deviation(star, found).squaredNorm()));
        noises.push_back(static_cast<float>(noise(star)));
    }
    // The median of |d|^2 is 2 ln 2 times the variance per axis.
    const double seen = quantile(squares, 0.5) / (2 * std::numbers::ln2), expected = quantile(noises, 0.5);
    constexpr double least_angstrom = 0.025;  // of thermal and static disorder
    const double tau2 = std::max(seen - expected, least_angstrom * least_angstrom);

    const auto n = static_cast<Eigen::Index>(atoms.size());
    Eigen::SimplicialLDLT<SparseMatrix> factor;
    std::vector<Vector> x = found;
    for (int round = 0; round < 3; ++round) {
        std::vector<Eigen::Triplet<double>> entries;
        Eigen::MatrixX2d right(n, 2);
        for (int i = 0; i < n; ++i) {
            const double weight = 1 / std::max(variance(i), 1e-8);
            entries.emplace_back(i, i, weight);
            right.row(i) = weight * found[static_cast<std::size_t>(i)].transpose();
        }
        for (const Star& star : field) {
            const std::array<std::pair<int, double>, 4> row{{{star.centre, 1.0},
                                                             {star.around[0], -1.0 / 3},
                                                             {star.around[1], -1.0 / 3},
                                                             {star.around[2], -1.0 / 3}}};
            for (const auto& [i, a] : row)
                for (const auto& [j, b] : row) entries.emplace_back(i, j, star.weight * a * b / tau2);
        }
        SparseMatrix matrix(n, n);
        matrix.setFromTriplets(entries.begin(), entries.end());
        factor.compute(matrix);
        if (factor.info() != Eigen::Success) return 0;
        const Eigen::MatrixX2d solution = factor.solve(right);
        for (int i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = solution.row(i).transpose();
        // Student's distribution with four degrees of freedom: defects are not bent straight.
        constexpr double freedom = 4;
        for (Star& star : field)
            star.weight = (freedom + 2) / (freedom + deviation(star, x).squaredNorm() / tau2);
    }
    const Eigen::VectorXd diagonal = inverse_diagonal(factor, found);
    for (int i = 0; i < n; ++i) {
        Detection& atom = atoms[static_cast<std::size_t>(i)];
        const Vector moved =
            pixel_per_angstrom * (x[static_cast<std::size_t>(i)] - found[static_cast<std::size_t>(i)]);
        atom.x_px += moved.x();
        atom.y_px += moved.y();
        atom.x_angstrom = x[static_cast<std::size_t>(i)].x();
        atom.y_angstrom = x[static_cast<std::size_t>(i)].y();
        if (diagonal(i) > 0) atom.sigma_angstrom = std::min(atom.sigma_angstrom, std::sqrt(diagonal(i)));
    }
    return std::sqrt(tau2);
}

}  // namespace stembridge::ml

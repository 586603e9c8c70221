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

constexpr double bonded_angstrom = 1.35 * graphene_lattice_angstrom / std::numbers::sqrt3;
/// Errors of the fit of two bonded atoms go together, as their images overlap: 0.11 to 0.15 for sources of
/// 0.75 to 1.0 angstrom [inverse of Fisher's information of the sheet].
constexpr double neighbor_correlation = 0.125;

/// An atom and the three C around it.
struct Star {
    int centre;
    std::array<int, 3> around;
    double weight = 1;
};

std::vector<Star> stars(const Detections& atoms, const std::vector<Vector>& positions) {
    const NeighborBins bins(positions, bonded_angstrom);
    std::vector<Star> result;
    std::vector<int> near;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (atoms[i].atomic_number != 6) continue;
        bins.within(positions[i], bonded_angstrom, near);
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

/// Inverse covariance of errors sigma_i that are correlated between bonded atoms, and farther ones through
/// them: (a delta_ij - b bonded_ij) / sigma_i sigma_j. On a tree with three branches at each node, which the
/// graph of bonds is but for its rings, kappa = b / a = rho / (1 + 2 rho^2) and a = 1 / (1 - 3 kappa rho).
SparseMatrix fit_information(const std::vector<Vector>& positions, const Eigen::VectorXd& sigma) {
    constexpr double rho = neighbor_correlation, kappa = rho / (1 + 2 * rho * rho),
                     a = 1 / (1 - 3 * kappa * rho), b = kappa * a;
    const NeighborBins bins(positions, bonded_angstrom);
    std::vector<Eigen::Triplet<double>> entries;
    std::vector<int> near;
    for (int i = 0; i < sigma.size(); ++i) {
        bins.within(positions[static_cast<std::size_t>(i)], bonded_angstrom, near);
        for (const int j : near) entries.emplace_back(i, j, (i == j ? a : -b) / (sigma(i) * sigma(j)));
    }
    SparseMatrix information(sigma.size(), sigma.size());
    information.setFromTriplets(entries.begin(), entries.end());
    return information;
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
    Eigen::VectorXd sigma(static_cast<Eigen::Index>(atoms.size()));
    for (std::size_t i = 0; i < atoms.size(); ++i)
        sigma(static_cast<Eigen::Index>(i)) = std::max(atoms[i].sigma_angstrom, 1e-4);
    // Errors of the fit in the deviation of a star: of its atoms, less what they share.
    const auto noise = [&](const Star& star) {
        const double centre = sigma(star.centre);
        double sum = centre * centre;
        for (const int j : star.around)
            sum += sigma(j) * sigma(j) / 9 - 2 * neighbor_correlation * centre * sigma(j) / 3;
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

    const Eigen::Index n = sigma.size();
    const SparseMatrix information = fit_information(found, sigma);
    Eigen::MatrixX2d measured(n, 2);
    for (int i = 0; i < n; ++i) measured.row(i) = found[static_cast<std::size_t>(i)].transpose();
    const Eigen::MatrixX2d right = information * measured;
    Eigen::SimplicialLDLT<SparseMatrix> factor;
    std::vector<Vector> x = found;
    for (int round = 0; round < 3; ++round) {
        std::vector<Eigen::Triplet<double>> entries;
        for (const Star& star : field) {
            const std::array<std::pair<int, double>, 4> row{{{star.centre, 1.0},
                                                             {star.around[0], -1.0 / 3},
                                                             {star.around[1], -1.0 / 3},
                                                             {star.around[2], -1.0 / 3}}};
            for (const auto& [i, a] : row)
                for (const auto& [j, b] : row) entries.emplace_back(i, j, star.weight * a * b / tau2);
        }
        SparseMatrix stiffness(n, n);
        stiffness.setFromTriplets(entries.begin(), entries.end());
        factor.compute(information + stiffness);
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

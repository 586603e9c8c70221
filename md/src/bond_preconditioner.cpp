// SPDX-License-Identifier: Apache-2.0
#include "bond_preconditioner.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::md {
namespace {

constexpr double k_along = 0.45;      // hartree/bohr^2, a carbon-carbon bond
constexpr double k_across = 0.05;     // hartree/bohr^2, about what bond angles resist with
constexpr double k_anywhere = 0.005;  // c, hartree/bohr^2: rigid motions and loose atoms
constexpr double decay = 6;           // a
constexpr double reach = 1.5;         // in units of r0: bonds, however stretched; no second neighbours

Eigen::SparseMatrix<double> spring_matrix(const Structure& structure, const FreeCoordinates& free) {
    Eigen::VectorXd radius(structure.size());
    for (int i = 0; i < structure.size(); ++i)
        radius(i) = covalent_radius(structure.atomic_numbers[static_cast<std::size_t>(i)]);
    Eigen::ArrayXXi row = Eigen::ArrayXXi::Constant(3, free.n_columns(), -1);
    int n = 0;
    for (const auto& [axis, atom] : free) row(axis, atom) = n++;

    std::vector<Eigen::Triplet<double>> entries;
    const auto add = [&](int i, int j, const Eigen::Matrix3d& block) {
        for (int a = 0; a < 3; ++a)
            for (int b = 0; b < 3; ++b)
                if (row(a, i) >= 0 && row(b, j) >= 0) entries.emplace_back(row(a, i), row(b, j), block(a, b));
    };
    for (int k = 0; k < n; ++k) entries.emplace_back(k, k, k_anywhere);
    // Coordinates of the cell are scaled to be as stiff as a bond.
    for (const auto& [axis, column] : free)
        if (column >= structure.size()) entries.emplace_back(row(axis, column), row(axis, column), k_along);
    const NeighborList neighbors(structure, reach * 2 * radius.maxCoeff());
    for (int i = 0; i < structure.size(); ++i)
        for (const Neighbor& pair : neighbors.of(i)) {
            const double r0 = radius(i) + radius(pair.j);
            if (pair.j == i || pair.distance > reach * r0) continue;
            const double weight = std::exp(-decay * (pair.distance / r0 - 1));
            const Eigen::Vector3d e = pair.r_ij / pair.distance;
            const Eigen::Matrix3d along = e * e.transpose();
            const Eigen::Matrix3d spring =
                weight * (k_along * along + k_across * (Eigen::Matrix3d::Identity() - along));
            add(i, i, spring);
            add(i, pair.j, -spring);
        }
    Eigen::SparseMatrix<double> matrix(n, n);
    matrix.setFromTriplets(entries.begin(), entries.end());
    return matrix;
}

}  // namespace

BondPreconditioner::BondPreconditioner(const Structure& structure, const FreeCoordinates& free) {
    factors_.compute(spring_matrix(structure, free));
    if (factors_.info() != Eigen::Success)
        throw NumericalError(
            "the preconditioner of the relaxation has no Cholesky factors: a position is not "
            "a finite number");
}

Eigen::VectorXd BondPreconditioner::diagonal(const Structure& structure, const FreeCoordinates& free) {
    return spring_matrix(structure, free).diagonal();
}

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
#include "bond_preconditioner.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/md/force_field.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::md {
namespace {

constexpr double k_along = 0.45;   // hartree/bohr^2, a carbon-carbon bond
constexpr double k_across = 0.05;  // hartree/bohr^2, about what bond angles resist with
// The same where angles and torsions stand for themselves: as if bonds were a little stretched. More is
// stiffer than the waves out of a sheet, without it those of compressed parts are too soft [30, 37 and 50
// evaluations with 3e-4, 1e-4 and 2e-3 for C318H45Si2 of a real frame].
constexpr double k_across_bent = 3e-4;
// c, hartree/bohr^2: rigid motions and loose atoms. A wave of 40 angstrom out of a sheet is twice as stiff.
constexpr double k_anywhere = 1e-5;
constexpr double decay = 6;    // a
constexpr double reach = 1.5;  // in units of r0: bonds, however stretched; no second neighbours

class SpringMatrix {
  public:
    explicit SpringMatrix(const Structure& structure, const FreeCoordinates& free)
        : row_(Eigen::ArrayXXi::Constant(3, free.n_columns(), -1)) {
        for (const auto& [axis, atom] : free) row_(axis, atom) = n_++;
        for (int k = 0; k < n_; ++k) entries_.emplace_back(k, k, k_anywhere);
        // Coordinates of the cell are scaled to be as stiff as a bond.
        for (const auto& [axis, column] : free)
            if (column >= structure.size())
                entries_.emplace_back(row_(axis, column), row_(axis, column), k_along);
        add_bonds(structure);
        add_bending(structure);
    }
    Eigen::SparseMatrix<double> matrix() const {
        Eigen::SparseMatrix<double> matrix(n_, n_);
        matrix.setFromTriplets(entries_.begin(), entries_.end());
        return matrix;
    }

  private:
    void add(int i, int j, const Eigen::Matrix3d& block) {
        for (int a = 0; a < 3; ++a)
            for (int b = 0; b < 3; ++b)
                if (row_(a, i) >= 0 && row_(b, j) >= 0)
                    entries_.emplace_back(row_(a, i), row_(b, j), block(a, b));
    }

    void add_bonds(const Structure& structure) {
        const auto z = [&](int atom) { return structure.atomic_numbers[static_cast<std::size_t>(atom)]; };
        double largest = 0;
        for (const int number : structure.atomic_numbers)
            largest = std::max(largest, covalent_radius(number));
        const NeighborList neighbors(structure, reach * 2 * largest);
        for (int i = 0; i < structure.size(); ++i)
            for (const Neighbor& pair : neighbors.of(i)) {
                const double r0 = covalent_radius(z(i)) + covalent_radius(z(pair.j));
                if (pair.j == i || pair.distance > reach * r0) continue;
                const double weight = std::exp(-decay * (pair.distance / r0 - 1));
                const double across = has_bending_parameters(z(i)) && has_bending_parameters(z(pair.j))
                                          ? k_across_bent
                                          : k_across;
                const Eigen::Vector3d e = pair.r_ij / pair.distance;
                const Eigen::Matrix3d along = e * e.transpose();
                const Eigen::Matrix3d spring =
                    weight * (k_along * along + across * (Eigen::Matrix3d::Identity() - along));
                add(i, i, spring);
                add(i, pair.j, -spring);
            }
    }

    /// k (dq/dx) (dq/dx)^T of each coordinate q.
    void add_bending(const Structure& structure) {
        for (const InternalCoordinate& q : bending_coordinates(structure)) {
            const auto gradient = value_of(q, structure).gradient;
            for (int k = 0; k < q.n_atoms; ++k)
                for (int l = 0; l < q.n_atoms; ++l)
                    add(q.atoms[static_cast<std::size_t>(k)], q.atoms[static_cast<std::size_t>(l)],
                        q.stiffness * gradient.col(k) * gradient.col(l).transpose());
        }
    }

    Eigen::ArrayXXi row_;
    int n_ = 0;
    std::vector<Eigen::Triplet<double>> entries_;
};

Eigen::SparseMatrix<double> spring_matrix(const Structure& structure, const FreeCoordinates& free) {
    return SpringMatrix(structure, free).matrix();
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

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/block_matrix.hpp"

#include <algorithm>

#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {

BlockPattern::BlockPattern(const Basis& basis, const Structure& structure,
                           const std::function<double(int, int)>& range)
    : basis_(&basis) {
    double largest = 1;
    const int n_elements = static_cast<int>(basis.elements().size());
    Eigen::MatrixXd ranges(n_elements, n_elements);
    for (int a = 0; a < n_elements; ++a)
        for (int b = 0; b < n_elements; ++b) largest = std::max(largest, ranges(a, b) = range(a, b));
    const NeighborList neighbors(structure, largest);
    const auto append = [&](Block block) {
        block.offset = n_values_;
        n_values_ += static_cast<std::size_t>(basis.n_orbitals(block.i)) *
                     static_cast<std::size_t>(basis.n_orbitals(block.j));
        blocks_.push_back(block);
    };
    for (int i = 0; i < basis.n_atoms(); ++i) {
        append({.i = i, .j = i});
        for (const Neighbor& n : neighbors.of(i)) {
            if (n.j < i || (n.j == i && n.image < std::array<int, 3>{0, 0, 0})) continue;
            if (n.distance >= ranges(basis.element_index(i), basis.element_index(n.j))) continue;
            append({.i = i, .j = n.j, .image = n.image, .r = n.r_ij, .distance = n.distance});
        }
    }
}

void BlockMatrix::fold(double* dense) const {
    const Basis& basis = pattern_->basis();
    const int n = basis.n_orbitals();
    Eigen::Map<Eigen::MatrixXd> matrix(dense, n, n);
    // One column of atoms after the other: its own blocks, then those of its images and neighbours.
    matrix.setZero();
    for (const Block& b : pattern_->blocks()) {
        auto target = matrix.block(basis.first_orbital(b.j), basis.first_orbital(b.i), basis.n_orbitals(b.j),
                                   basis.n_orbitals(b.i));
        const auto source = block(b);
        target += source.transpose();
        if (b.i == b.j && !b.on_site()) target += source;
    }
}

Eigen::MatrixXd BlockMatrix::folded() const {
    const int n = pattern_->basis().n_orbitals();
    Eigen::MatrixXd matrix(n, n);
    fold(matrix.data());
    return matrix.selfadjointView<Eigen::Lower>();
}

double trace_of_product(const BlockMatrix& a, const BlockMatrix& b) {
    double trace = 0;
    for (const Block& place : a.pattern().blocks()) {
        const double product = a.block(place).cwiseProduct(b.block(place)).sum();
        trace += place.on_site() ? product : 2 * product;
    }
    return trace;
}

Eigen::VectorXd mulliken_populations(const BlockMatrix& density, const BlockMatrix& overlap) {
    const Basis& basis = density.pattern().basis();
    Eigen::VectorXd n = Eigen::VectorXd::Zero(basis.n_orbitals());
    for (const Block& b : density.pattern().blocks()) {
        const Eigen::MatrixXd product = density.block(b).cwiseProduct(overlap.block(b));
        n.segment(basis.first_orbital(b.i), basis.n_orbitals(b.i)) += product.rowwise().sum();
        if (!b.on_site())
            n.segment(basis.first_orbital(b.j), basis.n_orbitals(b.j)) += product.colwise().sum().transpose();
    }
    return n;
}

}  // namespace stembridge::tb

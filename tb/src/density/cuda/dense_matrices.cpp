// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/dense_matrices.hpp"

#include "density/overlap_error.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

void DenseMatrices::analyze(const BlockPattern& pattern) {
    pattern_ = &pattern;
    n_ = pattern.basis().n_orbitals();
    map_ = std::make_unique<PatternMap>(pattern);
    position_ = {device_, map_->dense_positions(false)};
    mirror_ = {device_, map_->dense_positions(true)};
    elements_.resize(device_, map_->n_pairs());
    cholesky_.resize(device_, n_elements());
}

void DenseMatrices::set_overlap(const BlockMatrix& overlap) {
    DenseOperations<double>& on = device_.dense(0.0);
    elements_.upload(map_->fold(overlap).data());
    on.scatter(map_->n_pairs(), position_.data(), mirror_.data(), elements_.data(), n_, cholesky_.data());
    if (!on.cholesky(n_, cholesky_.data())) throw NumericalError(overlap_error(*pattern_));
}

void DenseMatrices::orthogonalize(const BlockMatrix& hamiltonian, DeviceArray<double>& a) {
    DenseOperations<double>& on = device_.dense(0.0);
    elements_.upload(map_->fold(hamiltonian).data());
    on.scatter(map_->n_pairs(), position_.data(), mirror_.data(), elements_.data(), n_, a.data());
    on.solve_triangular(false, false, n_, n_, cholesky_.data(), a.data(), n_);
    on.solve_triangular(true, true, n_, n_, cholesky_.data(), a.data(), n_);
    on.symmetrize(n_, a.data());
}

void DenseMatrices::to_orbitals(DeviceArray<double>& x) const {
    DenseOperations<double>& on = device_.dense(0.0);
    on.solve_triangular(false, true, n_, n_, cholesky_.data(), x.data(), n_);
    on.solve_triangular(true, false, n_, n_, cholesky_.data(), x.data(), n_);
}

void DenseMatrices::vectors_to_orbitals(int columns, DeviceArray<double>& c) const {
    device_.dense(0.0).solve_triangular(false, true, n_, columns, cholesky_.data(), c.data(), n_);
}

void DenseMatrices::add_elements(const DeviceArray<double>& x, BlockMatrix& out) {
    device_.dense(0.0).gather(map_->n_pairs(), position_.data(), 1, x.data(), 0, elements_.data());
    map_->add_unfolded(elements_.download(), out);
}

}  // namespace stembridge::tb

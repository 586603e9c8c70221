// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/exact_solver.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::tb {
double ExactSolver::bytes(int n, int n_spins) {
    // L, two to work with, about two within the eigensolver.
    return (5.0 + n_spins) * n * n * sizeof(double);
}

void ExactSolver::analyze(const BlockPattern& pattern, const KPoints&) {
    pattern_ = &pattern;
    matrices_.analyze(pattern);
    if (scaled_.size() != matrices_.n_elements()) {
        states_.clear();
        scaled_ = {};
        product_ = {};
    }
    scaled_.resize(device_, matrices_.n_elements());
    product_.resize(device_, matrices_.n_elements());
    values_.resize(device_, static_cast<std::size_t>(matrices_.n()));
}

void ExactSolver::set_overlap(const BlockMatrix& overlap) {
    const Timer timer;
    matrices_.set_overlap(overlap);
    seconds_["overlap"] += timer.seconds();
}

std::vector<Eigen::MatrixXd> ExactSolver::levels_of(const std::vector<BlockMatrix>& hamiltonian) {
    const int n = matrices_.n();
    states_.resize(hamiltonian.size());
    std::vector<Eigen::MatrixXd> levels;
    for (std::size_t s = 0; s < hamiltonian.size(); ++s) {
        // A = L^-1 H L^-T = V e V^T
        states_[s].resize(device_, matrices_.n_elements());
        matrices_.orthogonalize(hamiltonian[s], states_[s]);
        device_.dense(0.0).eigensystem(n, states_[s].data(), values_.data());
        const std::vector<double> values = values_.download();
        levels.emplace_back(Eigen::Map<const Eigen::VectorXd>(values.data(), n));
        if (!levels[s].allFinite())
            throw NumericalError("the eigenvalues are not finite numbers: the structure is unphysical");
    }
    return levels;
}

std::vector<Eigen::Index> ExactSolver::keep_states(const std::vector<Eigen::Index>& wanted) {
    for (std::size_t s = 0; s < wanted.size(); ++s)  // C = L^-T V
        matrices_.vectors_to_orbitals(static_cast<int>(wanted[s]), states_[s]);
    return wanted;
}

void ExactSolver::copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const {
    const int n = matrices_.n();
    near.real.resize(n, levels.size());
    if (levels.size() > 0)
        device_.to_host(near.real.data(), states_[spin].data() + levels.first * n,
                        static_cast<std::size_t>(near.real.size()) * sizeof(double));
}

void ExactSolver::add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) {
    const auto [first, last] = levels_that_count(weights.col(0));
    const auto m = static_cast<int>(last - first);
    if (m == 0) return;
    const int n = matrices_.n();
    const double* states = states_[spin].data() + first * n;
    // C w C^T
    device_.to_device(values_.data(), weights.data() + first, static_cast<std::size_t>(m) * sizeof(double));
    device_.dense(0.0).scale_columns(n, m, states, values_.data(), scaled_.data());
    device_.dense(0.0).multiply(false, true, n, n, m, 1, scaled_.data(), n, states, n, 0, product_.data(), n);
    matrices_.add_elements(product_, out);
}

}  // namespace stembridge::tb

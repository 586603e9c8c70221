// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/exact_solver.hpp"

#include <algorithm>
#include <cmath>

#include "density/eigenstates.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::tb {
namespace {

// Eigenvectors up to here above the Fermi level are kept for the states at and near it, hartree.
constexpr double kept_above = 0.25;

}  // namespace

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

void ExactSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                        Density& out) {
    Timer timer;
    const int n = matrices_.n();
    const std::size_t n_spins = hamiltonian.size();
    electrons_ = electrons;
    states_.resize(n_spins);
    eigenvalues_.resize(n_spins);
    kept_.assign(n_spins, 0);
    for (std::size_t s = 0; s < n_spins; ++s) {
        // A = L^-1 H L^-T = V e V^T
        states_[s].resize(device_, matrices_.n_elements());
        matrices_.orthogonalize(hamiltonian[s], states_[s]);
        device_.dense(0.0).eigensystem(n, states_[s].data(), values_.data());
        const std::vector<double> values = values_.download();
        eigenvalues_[s] = Eigen::Map<const Eigen::VectorXd>(values.data(), n);
        if (!eigenvalues_[s].allFinite())
            throw NumericalError("the eigenvalues are not finite numbers: the structure is unphysical");
    }
    occupations_ = occupy(eigenvalues_, Eigen::VectorXd::Ones(1), electrons);
    for (std::size_t s = 0; s < n_spins; ++s) {
        // C = L^-T V, as many as are wanted
        const double highest = occupations_.fermi_levels[s] + std::max(kept_above, 40 * electrons.kT);
        const double* begin = eigenvalues_[s].data();
        kept_[s] = std::upper_bound(begin, begin + n, highest) - begin;
        matrices_.vectors_to_orbitals(static_cast<int>(kept_[s]), states_[s]);
    }
    seconds_["diagonalisation"] += timer.seconds();

    timer.restart();
    out.matrices.resize(n_spins);
    for (std::size_t s = 0; s < n_spins; ++s) {
        out.matrices[s] = BlockMatrix(*pattern_);
        add_weighted_states(s, occupations_.f[s].col(0), out.matrices[s]);
    }
    describe(occupations_, eigenvalues_, out);
    seconds_["density"] += timer.seconds();
}

void ExactSolver::energy_weighted(BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    for (std::size_t s = 0; s < states_.size(); ++s)
        add_weighted_states(s, occupations_.f[s].col(0).cwiseProduct(eigenvalues_[s].col(0)), out);
    seconds_["density"] += timer.seconds();
}

void ExactSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    auto slopes = fermi_slopes(eigenvalues_, Eigen::VectorXd::Ones(1), electrons_, kT);
    for (std::size_t s = 0; s < states_.size(); ++s) {
        slopes[s].bottomRows(slopes[s].rows() - kept_[s]).setZero();
        add_weighted_states(s, slopes[s].col(0), out);
    }
    seconds_["density"] += timer.seconds();
}

std::vector<NearStates> ExactSolver::states_near_fermi_level(double half_width) const {
    std::vector<NearStates> result;
    const auto n = static_cast<std::size_t>(matrices_.n());
    for (std::size_t s = 0; s < states_.size(); ++s) {
        const Eigen::VectorXd e = eigenvalues_[s].col(0);
        const LevelRange near_mu = levels_near(e, occupations_.fermi_levels[s], half_width, kept_[s]);
        const Eigen::Index first = near_mu.first, m = near_mu.size();
        NearStates near{e.segment(first, m),
                        occupations_.f[s].col(0).segment(first, m),
                        Eigen::MatrixXd(matrices_.n(), m),
                        {}};
        if (m > 0)
            device_.to_host(near.real.data(), states_[s].data() + static_cast<std::size_t>(first) * n,
                            static_cast<std::size_t>(m) * n * sizeof(double));
        result.push_back(std::move(near));
    }
    return result;
}

void ExactSolver::add_weighted_states(std::size_t spin, const Eigen::VectorXd& weights, BlockMatrix& out) {
    const auto [first, last] = levels_that_count(weights);
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

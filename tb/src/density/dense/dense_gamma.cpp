// SPDX-License-Identifier: Apache-2.0
#include "density/dense/dense_gamma.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "density/eigenstates.hpp"
#include "density/overlap_error.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::tb {
namespace {

// Eigenvectors up to here above the Fermi level are kept for the states at and near it, hartree.
constexpr double kept_above = 0.25;

void check(lapack_int info, const char* step) {
    if (info != 0)
        throw NumericalError(
            fmt::format("the diagonalisation failed in {} (code {}): the Hamiltonian holds numbers that "
                        "are not finite, or the structure is unphysical",
                        step, info));
}

}  // namespace

void DenseGammaSolver::analyze(const BlockPattern& pattern, const KPoints&) {
    pattern_ = &pattern;
    tiles_ = Tiles(pattern);
}

void DenseGammaSolver::set_overlap(const BlockMatrix& overlap) {
    const Timer timer;
    const int n = pattern_->basis().n_orbitals();
    cholesky_.resize(n, n);
    overlap.fold(cholesky_.data());
    // S = L L^T
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, cholesky_.data(), n) != 0)
        throw NumericalError(overlap_error(*pattern_));
    seconds_["overlap"] += timer.seconds();
}

void DenseGammaSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                             Density& out) {
    Timer timer;
    const int n = pattern_->basis().n_orbitals();
    const std::size_t n_spins = hamiltonian.size();
    electrons_ = electrons;
    states_.resize(n_spins);
    eigenvalues_.resize(n_spins);
    kept_.assign(n_spins, 0);
    std::vector<Eigen::VectorXd> diagonal(n_spins), off_diagonal(n_spins), tau(n_spins);
    for (std::size_t s = 0; s < n_spins; ++s) {
        Eigen::MatrixXd& a = states_[s];
        a.resize(n, n);
        hamiltonian[s].fold(a.data());
        // A = L^-1 H L^-T, then A = Q T Q^T with tridiagonal T
        check(LAPACKE_dsygst_work(LAPACK_COL_MAJOR, 1, 'L', n, a.data(), n, cholesky_.data(), n), "dsygst");
        diagonal[s].resize(n);
        off_diagonal[s].resize(std::max(1, n - 1));
        tau[s].resize(std::max(1, n - 1));
        Eigen::VectorXd work(static_cast<Eigen::Index>(n) * 64);
        check(LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'L', n, a.data(), n, diagonal[s].data(),
                                  off_diagonal[s].data(), tau[s].data(), work.data(),
                                  static_cast<lapack_int>(work.size())),
              "dsytrd");
        eigenvalues_[s] = diagonal[s];
        Eigen::VectorXd e = off_diagonal[s];
        check(LAPACKE_dsterf_work(n, eigenvalues_[s].data(), e.data()), "dsterf");
    }
    occupations_ = occupy(eigenvalues_, Eigen::VectorXd::Ones(1), electrons);
    for (std::size_t s = 0; s < n_spins; ++s) {
        // Eigenvectors of T, back to those of A (as many as are wanted), back to those of H.
        Eigen::VectorXd values = diagonal[s];
        scratch_.resize(n, n);
        std::vector<double> work(1 + 4 * static_cast<std::size_t>(n) +
                                 static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
        std::vector<lapack_int> integers(3 + 5 * static_cast<std::size_t>(n));
        check(LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', n, values.data(), off_diagonal[s].data(),
                                  scratch_.data(), n, work.data(), static_cast<lapack_int>(work.size()),
                                  integers.data(), static_cast<lapack_int>(integers.size())),
              "dstedc");
        const double highest = occupations_.fermi_levels[s] + std::max(kept_above, 40 * electrons.kT);
        const auto* begin = eigenvalues_[s].data();
        const auto m = static_cast<lapack_int>(std::upper_bound(begin, begin + n, highest) - begin);
        kept_[s] = m;
        work.resize(std::max<std::size_t>(1, static_cast<std::size_t>(m) * 64));
        check(LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'L', 'N', n, m, states_[s].data(), n, tau[s].data(),
                                  scratch_.data(), n, work.data(), static_cast<lapack_int>(work.size())),
              "dormtr");
        cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, m, 1.0,
                    cholesky_.data(), n, scratch_.data(), n);
        states_[s].swap(scratch_);
    }
    seconds_["diagonalisation"] += timer.seconds();

    timer.restart();
    out.matrices.resize(n_spins);
    for (std::size_t s = 0; s < n_spins; ++s) {
        out.matrices[s] = BlockMatrix(*pattern_);
        add_weighted_states(states_[s], occupations_.f[s].col(0), out.matrices[s]);
    }
    describe(occupations_, eigenvalues_, out);
    seconds_["density"] += timer.seconds();
}

void DenseGammaSolver::energy_weighted(BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    for (std::size_t s = 0; s < states_.size(); ++s)
        add_weighted_states(states_[s], occupations_.f[s].col(0).cwiseProduct(eigenvalues_[s].col(0)), out);
    seconds_["density"] += timer.seconds();
}

void DenseGammaSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    auto slopes = fermi_slopes(eigenvalues_, Eigen::VectorXd::Ones(1), electrons_, kT);
    for (std::size_t s = 0; s < states_.size(); ++s) {
        slopes[s].bottomRows(slopes[s].rows() - kept_[s]).setZero();
        add_weighted_states(states_[s], slopes[s].col(0), out);
    }
    seconds_["density"] += timer.seconds();
}

std::vector<NearStates> DenseGammaSolver::states_near_fermi_level(double half_width) const {
    std::vector<NearStates> result;
    for (std::size_t s = 0; s < states_.size(); ++s) {
        const Eigen::VectorXd e = eigenvalues_[s].col(0);
        const LevelRange near_mu = levels_near(e, occupations_.fermi_levels[s], half_width, kept_[s]);
        const Eigen::Index first = near_mu.first, m = near_mu.size();
        result.push_back({e.segment(first, m),
                          occupations_.f[s].col(0).segment(first, m),
                          states_[s].middleCols(first, m),
                          {}});
    }
    return result;
}

void DenseGammaSolver::add_weighted_states(const Eigen::MatrixXd& states, const Eigen::VectorXd& weights,
                                           BlockMatrix& out) const {
    const auto [first, last] = levels_that_count(weights);
    const auto m = static_cast<int>(last - first);
    if (m == 0) return;
    const Basis& basis = pattern_->basis();
    const int n = basis.n_orbitals();
#pragma omp parallel
    {
        Eigen::MatrixXd weighted, product;
#pragma omp for schedule(dynamic)
        for (std::size_t k = 0; k < tiles_.pairs.size(); ++k) {
            const Tiles::Pair& tile = tiles_.pairs[k];
            weighted =
                states.block(tile.first_row, first, tile.n_rows, m) * weights.segment(first, m).asDiagonal();
            product.resize(tile.n_rows, tile.n_columns);
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, tile.n_rows, tile.n_columns, m, 1.0,
                        weighted.data(), tile.n_rows, states.data() + first * n + tile.first_column, n, 0.0,
                        product.data(), tile.n_rows);
            for (const std::size_t index : tile.blocks) {
                const Block& b = pattern_->blocks()[index];
                out.block(b) += product.block(basis.first_orbital(b.i) - tile.first_row,
                                              basis.first_orbital(b.j) - tile.first_column,
                                              basis.n_orbitals(b.i), basis.n_orbitals(b.j));
            }
        }
    }
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/dense/dense_gamma.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "density/eigenstates.hpp"
#include "density/overlap_error.hpp"
#include "density/parallel_tasks.hpp"
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
    lapack_int info = 0;
    side_by_side(
        1, [&](int, int) { info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, cholesky_.data(), n); });
    if (info != 0) throw NumericalError(overlap_error(*pattern_));
    seconds_["overlap"] += timer.seconds();
}

void DenseGammaSolver::tridiagonalise(const BlockMatrix& hamiltonian, std::size_t spin) {
    const auto n = static_cast<lapack_int>(cholesky_.rows());
    Eigen::MatrixXd& a = states_[spin];
    Tridiagonal& t = tridiagonal_[spin];
    a.resize(n, n);
    hamiltonian.fold(a.data());
    // A = L^-1 H L^-T, then A = Q T Q^T
    check(LAPACKE_dsygst_work(LAPACK_COL_MAJOR, 1, 'L', n, a.data(), n, cholesky_.data(), n), "dsygst");
    t.diagonal.resize(n);
    t.off_diagonal.resize(std::max(1, n - 1));
    t.tau.resize(std::max(1, n - 1));
    Eigen::VectorXd work(static_cast<Eigen::Index>(n) * 64);
    check(LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'L', n, a.data(), n, t.diagonal.data(), t.off_diagonal.data(),
                              t.tau.data(), work.data(), static_cast<lapack_int>(work.size())),
          "dsytrd");
    eigenvalues_[spin] = t.diagonal;
    Eigen::VectorXd e = t.off_diagonal;
    check(LAPACKE_dsterf_work(n, eigenvalues_[spin].data(), e.data()), "dsterf");
}

void DenseGammaSolver::transform_back(std::size_t spin, Eigen::MatrixXd& scratch) {
    const auto n = static_cast<lapack_int>(cholesky_.rows());
    Tridiagonal& t = tridiagonal_[spin];
    // Eigenvectors of T, back to those of A (as many as are wanted), back to those of H.
    scratch.resize(n, n);
    std::vector<double> work(1 + 4 * static_cast<std::size_t>(n) +
                             static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
    std::vector<lapack_int> integers(3 + 5 * static_cast<std::size_t>(n));
    check(LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', n, t.diagonal.data(), t.off_diagonal.data(),
                              scratch.data(), n, work.data(), static_cast<lapack_int>(work.size()),
                              integers.data(), static_cast<lapack_int>(integers.size())),
          "dstedc");
    const double highest = occupations_.fermi_levels[spin] + std::max(kept_above, 40 * electrons_.kT);
    const double* begin = eigenvalues_[spin].data();
    const auto m = static_cast<lapack_int>(std::upper_bound(begin, begin + n, highest) - begin);
    kept_[spin] = m;
    work.resize(std::max<std::size_t>(1, static_cast<std::size_t>(m) * 64));
    check(LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'L', 'N', n, m, states_[spin].data(), n, t.tau.data(),
                              scratch.data(), n, work.data(), static_cast<lapack_int>(work.size())),
          "dormtr");
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, m, 1.0, cholesky_.data(),
                n, scratch.data(), n);
    states_[spin].swap(scratch);
}

void DenseGammaSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                             Density& out) {
    Timer timer;
    const auto n_spins = static_cast<int>(hamiltonian.size());
    electrons_ = electrons;
    states_.resize(hamiltonian.size());
    eigenvalues_.resize(hamiltonian.size());
    tridiagonal_.resize(hamiltonian.size());
    kept_.assign(hamiltonian.size(), 0);
    side_by_side(n_spins, [&](int spin, int) {
        const auto s = static_cast<std::size_t>(spin);
        tridiagonalise(hamiltonian[s], s);
    });
    occupations_ = occupy(eigenvalues_, Eigen::VectorXd::Ones(1), electrons);
    side_by_side(n_spins, [&](int spin, int thread) {
        transform_back(static_cast<std::size_t>(spin), scratch_[static_cast<std::size_t>(thread)]);
    });
    seconds_["diagonalisation"] += timer.seconds();

    timer.restart();
    out.matrices.resize(hamiltonian.size());
    for (std::size_t s = 0; s < hamiltonian.size(); ++s) {
        out.matrices[s] = BlockMatrix(*pattern_);
        add_weighted_states(states_[s], occupations_.f[s].col(0), out.matrices[s]);
    }
    describe(occupations_, eigenvalues_, out);
    seconds_["density"] += timer.seconds();
}

void DenseGammaSolver::side_by_side(int n_tasks, const std::function<void(int task, int thread)>& run) const {
    // Of a smaller matrix, threads wait for each other at every column for longer than they compute, and much
    // longer beside other programs.
    constexpr int enough_for_two = 1000;
    if (cholesky_.rows() < enough_for_two)
        parallel_tasks(n_tasks, std::min(n_tasks, omp_get_max_threads()), run);
    else
        for (int task = 0; task < n_tasks; ++task) run(task, 0);
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
    const LevelRange range = levels_that_count(weights);
    const Eigen::Index first = range.first;
    const auto m = static_cast<int>(range.size());
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

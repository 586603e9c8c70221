// SPDX-License-Identifier: Apache-2.0
#include "density/dense/dense_kpoints.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>

#include "density/eigenstates.hpp"
#include "density/overlap_error.hpp"
#include "hamiltonian/bloch_sum.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::tb {
void DenseKPointSolver::analyze(const BlockPattern& pattern, const KPoints& kpoints) {
    pattern_ = &pattern;
    kpoints_ = kpoints;
}

void DenseKPointSolver::set_overlap(const BlockMatrix& overlap) {
    const Timer timer;
    const int n = pattern_->basis().n_orbitals();
    cholesky_.resize(static_cast<std::size_t>(kpoints_.size()));
    std::atomic<bool> failed = false;
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < kpoints_.size(); ++k) {
        Eigen::MatrixXcd& l = cholesky_[static_cast<std::size_t>(k)];
        l = bloch_sum(overlap, kpoints_.points.col(k));
        if (LAPACKE_zpotrf_work(LAPACK_COL_MAJOR, 'L', n, l.data(), n) != 0) failed = true;
    }
    if (failed) throw NumericalError(overlap_error(*pattern_));
    seconds_["overlap"] += timer.seconds();
}

std::vector<Eigen::MatrixXd> DenseKPointSolver::levels_of(const std::vector<BlockMatrix>& hamiltonian) {
    const int n = pattern_->basis().n_orbitals(), n_k = kpoints_.size();
    const int n_spins = static_cast<int>(hamiltonian.size());
    states_.assign(hamiltonian.size(), std::vector<Eigen::MatrixXcd>(static_cast<std::size_t>(n_k)));
    std::vector<Eigen::MatrixXd> levels(hamiltonian.size(), Eigen::MatrixXd(n, n_k));
    std::atomic<int> failure = 0;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < n_spins * n_k; ++task) {
        const auto spin = static_cast<std::size_t>(task / n_k);
        const int k = task % n_k;
        const Eigen::MatrixXcd& l = cholesky_[static_cast<std::size_t>(k)];
        Eigen::MatrixXcd& a = states_[spin][static_cast<std::size_t>(k)];
        // A = L^-1 H L^-H, A x = e x, c = L^-H x
        a = bloch_sum(hamiltonian[spin], kpoints_.points.col(k));
        lapack_int info = LAPACKE_zhegst_work(LAPACK_COL_MAJOR, 1, 'L', n, a.data(), n, l.data(), n);
        if (info == 0)
            info = LAPACKE_zheevd(LAPACK_COL_MAJOR, 'V', 'L', n, a.data(), n, levels[spin].col(k).data());
        if (info != 0) failure = info;
        const std::complex<double> one = 1;
        cblas_ztrsm(CblasColMajor, CblasLeft, CblasLower, CblasConjTrans, CblasNonUnit, n, n, &one, l.data(),
                    n, a.data(), n);
    }
    if (failure != 0)
        throw NumericalError(
            fmt::format("the diagonalisation failed (code {}): the Hamiltonian holds numbers that are not "
                        "finite, or the structure is unphysical",
                        failure.load()));
    return levels;
}

void DenseKPointSolver::copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const {
    for (const Eigen::MatrixXcd& c : states_[spin])
        near.bloch.emplace_back(c.middleCols(levels.first, levels.size()));
}

void DenseKPointSolver::add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights,
                                            BlockMatrix& out) {
    const Basis& basis = pattern_->basis();
    const auto& blocks = pattern_->blocks();
    for (int k = 0; k < kpoints_.size(); ++k) {
        const Eigen::VectorXd f = kpoints_.weights(k) * weights.col(k);
        const auto [first, last] = levels_that_count(f);
        if (first == last) continue;
        const auto c = states_[spin][static_cast<std::size_t>(k)].middleCols(first, last - first);
        const Eigen::MatrixXcd weighted = c * f.segment(first, last - first).asDiagonal();
        const auto n = static_cast<int>(c.rows()), m = static_cast<int>(c.cols());
        Eigen::MatrixXcd p(n, n);
        const std::complex<double> one = 1, zero = 0;
        cblas_zgemm(CblasColMajor, CblasNoTrans, CblasConjTrans, n, n, m, &one, weighted.data(), n, c.data(),
                    n, &zero, p.data(), n);
#pragma omp parallel for schedule(static)
        for (std::size_t index = 0; index < blocks.size(); ++index) {
            const Block& b = blocks[index];
            out.block(b) += (std::conj(bloch_phase(kpoints_.points.col(k), b)) *
                             p.block(basis.first_orbital(b.i), basis.first_orbital(b.j),
                                     basis.n_orbitals(b.i), basis.n_orbitals(b.j)))
                                .real();
        }
    }
}

}  // namespace stembridge::tb

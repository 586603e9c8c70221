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

void DenseKPointSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                              Density& out) {
    Timer timer;
    const int n = pattern_->basis().n_orbitals(), n_k = kpoints_.size();
    const int n_spins = static_cast<int>(hamiltonian.size());
    electrons_ = electrons;
    states_.assign(hamiltonian.size(), std::vector<Eigen::MatrixXcd>(static_cast<std::size_t>(n_k)));
    eigenvalues_.assign(hamiltonian.size(), Eigen::MatrixXd(n, n_k));
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
            info =
                LAPACKE_zheevd(LAPACK_COL_MAJOR, 'V', 'L', n, a.data(), n, eigenvalues_[spin].col(k).data());
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
    occupations_ = occupy(eigenvalues_, kpoints_.weights, electrons);
    seconds_["diagonalisation"] += timer.seconds();

    timer.restart();
    out.matrices.resize(hamiltonian.size());
    for (std::size_t s = 0; s < hamiltonian.size(); ++s) {
        out.matrices[s] = BlockMatrix(*pattern_);
        add_weighted_states(s, occupations_.f[s], out.matrices[s]);
    }
    describe(occupations_, eigenvalues_, out);
    seconds_["density"] += timer.seconds();
}

void DenseKPointSolver::energy_weighted(BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    for (std::size_t s = 0; s < states_.size(); ++s)
        add_weighted_states(s, occupations_.f[s].cwiseProduct(eigenvalues_[s]), out);
    seconds_["density"] += timer.seconds();
}

void DenseKPointSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    const auto slopes = fermi_slopes(eigenvalues_, kpoints_.weights, electrons_, kT);
    for (std::size_t s = 0; s < states_.size(); ++s) add_weighted_states(s, slopes[s], out);
    seconds_["density"] += timer.seconds();
}

std::vector<NearStates> DenseKPointSolver::states_near_fermi_level(double half_width) const {
    std::vector<NearStates> result;
    for (std::size_t s = 0; s < states_.size(); ++s) {
        const Eigen::MatrixXd& e = eigenvalues_[s];
        const LevelRange all = levels_near_everywhere(e, occupations_.fermi_levels[s], half_width);
        NearStates near{
            e.middleRows(all.first, all.size()), occupations_.f[s].middleRows(all.first, all.size()), {}, {}};
        for (const Eigen::MatrixXcd& c : states_[s])
            near.bloch.emplace_back(c.middleCols(all.first, all.size()));
        result.push_back(std::move(near));
    }
    return result;
}

void DenseKPointSolver::add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights,
                                            BlockMatrix& out) const {
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

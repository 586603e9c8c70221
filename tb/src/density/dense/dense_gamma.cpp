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

constexpr lapack_int block = 64;  // reflectors that are applied at once

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
    run(1, [&](std::size_t) { info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, cholesky_.data(), n); });
    if (info != 0) throw NumericalError(overlap_error(*pattern_));
    seconds_["overlap"] += timer.seconds();
}

bool DenseGammaSolver::is_small() const {
    // Threads of OpenBLAS would wait for each other at every column for longer than they compute, and much
    // longer beside other programs.
    constexpr int enough_for_all = 1000;
    return cholesky_.rows() < enough_for_all;
}

void DenseGammaSolver::run(int n_tasks, const std::function<void(std::size_t task)>& task) const {
    if (is_small())
        parallel_tasks(n_tasks, std::clamp(n_tasks, 1, omp_get_max_threads()),
                       [&](int k, int) { task(static_cast<std::size_t>(k)); });
    else
        for (int k = 0; k < n_tasks; ++k) task(static_cast<std::size_t>(k));
}

Eigen::VectorXd DenseGammaSolver::diagonalise(const BlockMatrix& hamiltonian, Problem& p) const {
    const auto n = static_cast<lapack_int>(cholesky_.rows());
    p.reflectors.resize(n, n);
    hamiltonian.fold(p.reflectors.data());
    // A = L^-1 H L^-T, then A = Q T Q^T
    check(LAPACKE_dsygst_work(LAPACK_COL_MAJOR, 1, 'L', n, p.reflectors.data(), n, cholesky_.data(), n),
          "dsygst");
    Eigen::VectorXd diagonal(n), off_diagonal(std::max(1, n - 1));
    p.tau.resize(std::max(1, n - 1));
    Eigen::VectorXd work(static_cast<Eigen::Index>(n) * 64);
    check(LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'L', n, p.reflectors.data(), n, diagonal.data(),
                              off_diagonal.data(), p.tau.data(), work.data(),
                              static_cast<lapack_int>(work.size())),
          "dsytrd");
    // Reflectors by blocks, H_1 H_2 ... = 1 - V T V^T: what transform_back() needs can then be shared by
    // threads.
    p.factors.resize(block, n);
    for (lapack_int first = 0; first < n - 1; first += block)
        check(LAPACKE_dlarft_work(LAPACK_COL_MAJOR, 'F', 'C', n - 1 - first, std::min(block, n - 1 - first),
                                  &p.reflectors(first + 1, first), n, &p.tau(first), &p.factors(0, first),
                                  block),
              "dlarft");
    p.states.resize(n, n);
    work.resize(1 + 4 * static_cast<Eigen::Index>(n) + static_cast<Eigen::Index>(n) * n);
    std::vector<lapack_int> integers(3 + 5 * static_cast<std::size_t>(n));
    check(LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', n, diagonal.data(), off_diagonal.data(), p.states.data(),
                              n, work.data(), static_cast<lapack_int>(work.size()), integers.data(),
                              static_cast<lapack_int>(integers.size())),
          "dstedc");
    return diagonal;
}

void DenseGammaSolver::transform_back(Problem& p, const LevelRange& levels) const {
    const auto n = static_cast<lapack_int>(cholesky_.rows()), m = static_cast<lapack_int>(levels.size());
    double* columns = p.states.data() + levels.first * n;
    Eigen::MatrixXd work(m, block);
    for (lapack_int first = (n - 2) / block * block; first >= 0 && n > 1; first -= block)
        check(LAPACKE_dlarfb_work(LAPACK_COL_MAJOR, 'L', 'N', 'F', 'C', n - 1 - first, m,
                                  std::min(block, n - 1 - first), &p.reflectors(first + 1, first), n,
                                  &p.factors(0, first), block, columns + first + 1, n, work.data(), m),
              "dlarfb");
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, m, 1.0, cholesky_.data(),
                n, columns, n);
}

std::vector<Eigen::MatrixXd> DenseGammaSolver::levels_of(const std::vector<BlockMatrix>& hamiltonian) {
    problems_.resize(hamiltonian.size());
    std::vector<Eigen::MatrixXd> levels(hamiltonian.size());
    run(static_cast<int>(levels.size()),
        [&](std::size_t s) { levels[s] = diagonalise(hamiltonian[s], problems_[s]); });
    return levels;
}

std::vector<Eigen::Index> DenseGammaSolver::keep_states(const std::vector<Eigen::Index>& wanted) {
    struct Part {
        std::size_t spin;
        LevelRange levels;
    };
    std::vector<Part> parts;
    for (std::size_t s = 0; s < wanted.size(); ++s) {
        // The same columns at a time whatever the number of threads, and so the same bits.
        const Eigen::Index at_a_time = is_small() ? 64 : std::max<Eigen::Index>(1, wanted[s]);
        for (Eigen::Index first = 0; first < wanted[s]; first += at_a_time)
            parts.push_back({s, {first, std::min(first + at_a_time, wanted[s])}});
    }
    run(static_cast<int>(parts.size()),
        [&](std::size_t k) { transform_back(problems_[parts[k].spin], parts[k].levels); });
    return wanted;
}

void DenseGammaSolver::copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const {
    near.real = problems_[spin].states.middleCols(levels.first, levels.size());
}

void DenseGammaSolver::add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights,
                                           BlockMatrix& out) {
    const Eigen::MatrixXd& states = problems_[spin].states;
    const LevelRange range = levels_that_count(weights.col(0));
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
            weighted = states.block(tile.first_row, first, tile.n_rows, m) *
                       weights.col(0).segment(first, m).asDiagonal();
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

// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation: real matrices at Gamma.
#pragma once

#include <functional>

#include "density/dense/tiles.hpp"
#include "density/diagonalising_solver.hpp"

namespace stembridge::tb {

/// Reduces with the Cholesky factor of S (once per geometry), tridiagonalises, and transforms back only the
/// eigenvectors that are filled or near the Fermi level. Holds at most 6 n^2 numbers with two spins, 4
/// without.
class DenseGammaSolver final : public DiagonalisingSolver {
  public:
    std::string name() const override { return "dense"; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;

  private:
    std::vector<Eigen::MatrixXd> levels_of(const std::vector<BlockMatrix>& hamiltonian) override;
    std::vector<Eigen::Index> keep_states(const std::vector<Eigen::Index>& wanted) override;
    void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) override;
    void copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const override;

    /// One spin.
    struct Problem {
        Eigen::MatrixXd reflectors;  ///< Q as LAPACK keeps it, V
        Eigen::MatrixXd factors;     ///< T of every block of them
        Eigen::VectorXd tau;
        Eigen::MatrixXd states;  ///< eigenvectors of T, the kept ones in the end those of H
    };
    /// Whether every task has one thread, and several run side by side.
    bool is_small() const;
    void run(int n_tasks, const std::function<void(std::size_t task)>& task) const;
    /// H to T and its eigenvectors. @return its eigenvalues
    Eigen::VectorXd diagonalise(const BlockMatrix& hamiltonian, Problem& p) const;
    /// Eigenvectors of T to those of H.
    void transform_back(Problem& p, const LevelRange& levels) const;

    Tiles tiles_;
    Eigen::MatrixXd cholesky_;       ///< lower factor of S
    std::vector<Problem> problems_;  ///< per spin
};

}  // namespace stembridge::tb

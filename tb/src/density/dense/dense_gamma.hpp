// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation: real matrices at Gamma.
#pragma once

#include <functional>

#include "density/dense/tiles.hpp"
#include "density/eigenstates.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// Reduces with the Cholesky factor of S (once per geometry), tridiagonalises, and transforms back only the
/// eigenvectors that are filled or near the Fermi level. Holds at most 6 n^2 numbers with two spins, 4
/// without.
class DenseGammaSolver final : public DensitySolver {
  public:
    std::string name() const override { return "dense"; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;
    void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
               Density& out) override;
    void energy_weighted(BlockMatrix& out) override;
    void states_at_fermi_level(double kT, BlockMatrix& out) override;
    bool offers_states() const override { return true; }
    std::vector<NearStates> states_near_fermi_level(double half_width) const override;
    const std::map<std::string, double>& seconds() const override { return seconds_; }

  private:
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
    /// Adds sum_a w_a c_a c_a^T on the pattern. @param weights of the states, zero beyond the kept ones
    void add_weighted_states(const Eigen::MatrixXd& states, const Eigen::VectorXd& weights,
                             BlockMatrix& out) const;

    const BlockPattern* pattern_ = nullptr;
    Tiles tiles_;
    Eigen::MatrixXd cholesky_;       ///< lower factor of S
    std::vector<Problem> problems_;  ///< per spin; the first kept_ states are eigenvectors
    std::vector<Eigen::MatrixXd> eigenvalues_;
    std::vector<Eigen::Index> kept_;
    Occupations occupations_;
    Electrons electrons_;
    std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb

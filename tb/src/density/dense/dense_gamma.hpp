// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation: real matrices at Gamma.
#pragma once

#include <array>
#include <functional>

#include "density/dense/tiles.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// Reduces with the Cholesky factor of S (once per geometry), tridiagonalises, and transforms back only the
/// eigenvectors that are filled or near the Fermi level. Holds at most 5 n^2 numbers with two spins, 4
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
    struct Tridiagonal {
        Eigen::VectorXd diagonal, off_diagonal, tau;  ///< T, and Q as LAPACK keeps it
    };
    /// H of a spin to T, and its eigenvalues. states_ holds the rest of Q.
    void tridiagonalise(const BlockMatrix& hamiltonian, std::size_t spin);
    /// From T to the eigenvectors of H that are filled or near the Fermi level.
    void transform_back(std::size_t spin, Eigen::MatrixXd& scratch);
    /// At most two tasks of linear algebra: on a thread each where matrices are small, else one after the
    /// other on all threads.
    void side_by_side(int n_tasks, const std::function<void(int task, int thread)>& run) const;
    /// Adds sum_a w_a c_a c_a^T on the pattern. @param weights of the states, zero beyond the kept ones
    void add_weighted_states(const Eigen::MatrixXd& states, const Eigen::VectorXd& weights,
                             BlockMatrix& out) const;

    const BlockPattern* pattern_ = nullptr;
    Tiles tiles_;
    Eigen::MatrixXd cholesky_;                ///< lower factor of S
    std::vector<Eigen::MatrixXd> states_;     ///< per spin; the first kept_ columns are eigenvectors
    std::vector<Tridiagonal> tridiagonal_;    ///< per spin
    std::array<Eigen::MatrixXd, 2> scratch_;  ///< per thread
    std::vector<Eigen::MatrixXd> eigenvalues_;
    std::vector<Eigen::Index> kept_;
    Occupations occupations_;
    Electrons electrons_;
    std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation: complex matrices at several k-points.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// One complex Hermitian problem per k-point and spin, side by side on the threads. Keeps the eigenvectors of
/// all.
class DenseKPointSolver final : public DensitySolver {
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
    /// Adds sum_k w_k Re[ sum_a f_a c_a c_a^H exp(-i k R) ]. @param weights f, (n_orbitals, n_kpoints)
    void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) const;

    const BlockPattern* pattern_ = nullptr;
    KPoints kpoints_;
    std::vector<Eigen::MatrixXcd> cholesky_;             ///< per k-point
    std::vector<std::vector<Eigen::MatrixXcd>> states_;  ///< per spin and k-point
    std::vector<Eigen::MatrixXd> eigenvalues_;
    Occupations occupations_;
    Electrons electrons_;
    std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb

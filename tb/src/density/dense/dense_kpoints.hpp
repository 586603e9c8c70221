// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation: complex matrices at several k-points.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "density/diagonalising_solver.hpp"

namespace stembridge::tb {

/// One complex Hermitian problem per k-point and spin, side by side on the threads. Keeps the eigenvectors of
/// all.
class DenseKPointSolver final : public DiagonalisingSolver {
  public:
    std::string name() const override { return "dense"; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;

  private:
    std::vector<Eigen::MatrixXd> levels_of(const std::vector<BlockMatrix>& hamiltonian) override;
    void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) override;
    void copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const override;

    std::vector<Eigen::MatrixXcd> cholesky_;             ///< per k-point
    std::vector<std::vector<Eigen::MatrixXcd>> states_;  ///< per spin and k-point
};

}  // namespace stembridge::tb

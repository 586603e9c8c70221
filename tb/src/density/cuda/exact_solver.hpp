// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation on a device.
#pragma once

#include "density/cuda/dense_matrices.hpp"
#include "density/diagonalising_solver.hpp"

namespace stembridge::tb {

/// All fillings and temperatures at Gamma. Matrices stay on the device: L, eigenvectors of each spin, two to
/// work with.
class ExactSolver final : public DiagonalisingSolver {
  public:
    /// @param device must outlive it
    explicit ExactSolver(Device& device) : device_(device), matrices_(device) {}
    std::string name() const override { return "exact"; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;
    /// Bytes on the device. @param n orbitals
    static double bytes(int n, int n_spins);

  private:
    std::vector<Eigen::MatrixXd> levels_of(const std::vector<BlockMatrix>& hamiltonian) override;
    std::vector<Eigen::Index> keep_states(const std::vector<Eigen::Index>& wanted) override;
    void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) override;
    void copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const override;

    Device& device_;
    DenseMatrices matrices_;
    std::vector<DeviceArray<double>> states_;  ///< per spin, the kept ones first
    DeviceArray<double> scaled_, product_, values_;
};

}  // namespace stembridge::tb

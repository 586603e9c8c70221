// SPDX-License-Identifier: Apache-2.0
// Density matrices by full diagonalisation on a device.
#pragma once

#include "density/cuda/dense_matrices.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// All fillings and temperatures at Gamma. Matrices stay on the device: L, eigenvectors of each spin, two to
/// work with.
class ExactSolver final : public DensitySolver {
  public:
    /// @param device must outlive it
    explicit ExactSolver(Device& device) : device_(device), matrices_(device) {}
    std::string name() const override { return "exact"; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;
    void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
               Density& out) override;
    void energy_weighted(BlockMatrix& out) override;
    void states_at_fermi_level(double kT, BlockMatrix& out) override;
    bool offers_states() const override { return true; }
    std::vector<NearStates> states_near_fermi_level(double half_width) const override;
    const std::map<std::string, double>& seconds() const override { return seconds_; }
    /// Bytes on the device. @param n orbitals
    static double bytes(int n, int n_spins);

  private:
    /// Adds sum_a w_a c_a c_a^T on the pattern. @param weights (n_levels), zero beyond the kept ones
    void add_weighted_states(std::size_t spin, const Eigen::VectorXd& weights, BlockMatrix& out);

    Device& device_;
    DenseMatrices matrices_;
    const BlockPattern* pattern_ = nullptr;
    std::vector<DeviceArray<double>> states_;  ///< per spin; the first kept_ columns are eigenvectors
    DeviceArray<double> scaled_, product_, values_;
    std::vector<Eigen::MatrixXd> eigenvalues_;
    std::vector<Eigen::Index> kept_;
    Occupations occupations_;
    Electrons electrons_;
    std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb

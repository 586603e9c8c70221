// SPDX-License-Identifier: Apache-2.0
// What all solvers share that find every level.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "density/eigenstates.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// Fills the levels and asks for sums over the states on the pattern. Where the states are, and how such sums
/// are made, is up to each solver.
class DiagonalisingSolver : public DensitySolver {
  public:
    void solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons, Density& out) final;
    void energy_weighted(BlockMatrix& out) final;
    void states_at_fermi_level(double kT, BlockMatrix& out) final;
    bool offers_states() const final { return true; }
    std::vector<NearStates> states_near_fermi_level(double half_width) const final;
    const std::map<std::string, double>& seconds() const final { return seconds_; }

  protected:
    /// @return (n_levels, n_kpoints) per spin, ascending in each column
    virtual std::vector<Eigen::MatrixXd> levels_of(const std::vector<BlockMatrix>& hamiltonian) = 0;
    /// Makes the eigenvectors of the lowest levels, where levels_of() has not made those of all.
    /// @param wanted of each spin  @return how many there are of each spin
    virtual std::vector<Eigen::Index> keep_states(const std::vector<Eigen::Index>& wanted);
    /// Adds sum_k w_k Re[ sum_a f_a c_a c_a^H exp(-i k R) ].
    /// @param weights f, (n_levels, n_kpoints), zero beyond the kept ones
    virtual void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) = 0;
    /// @param near gets the states of these levels, real ones or those of every k-point
    virtual void copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const = 0;

    const BlockPattern* pattern_ = nullptr;
    KPoints kpoints_;
    std::map<std::string, double> seconds_;

  private:
    std::vector<Eigen::MatrixXd> eigenvalues_;
    std::vector<Eigen::Index> kept_;
    Occupations occupations_;
    Electrons electrons_;
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// The first of the processes that share a diagonalisation.
#pragma once

#include <memory>

#include "density/elpa/processes.hpp"
#include "density/elpa/shared_eigenproblem.hpp"
#include "stembridge/base/ranks.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// Full diagonalisation by ELPA, at Gamma and at k-points. The matrices are dealt out to all processes; here
/// are those on the pattern, as with every other solver.
class ElpaSolver final : public DensitySolver {
  public:
    /// @throw UnsupportedError on a process that is not the first
    ElpaSolver();
    ~ElpaSolver() override;
    std::string name() const override { return "elpa"; }
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
    void drop();
    /// Adds sum_k w_k Re[ sum_a f_a c_a c_a^H exp(-i k R) ]. @param weights f, (n_orbitals, n_kpoints)
    void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) const;

    Ranks ranks_;  // MPI is there as long as this is
    int number_;   // of the solver
    const BlockPattern* pattern_ = nullptr;
    KPoints kpoints_;
    std::unique_ptr<SharedEigenproblem> problem_;
    std::vector<Eigen::MatrixXd> eigenvalues_;
    Occupations occupations_;
    Electrons electrons_;
    std::map<std::string, double> seconds_;
};

}  // namespace stembridge::tb

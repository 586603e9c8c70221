// SPDX-License-Identifier: Apache-2.0
// The first of the processes that share a diagonalisation.
#pragma once

#include <memory>

#include "density/diagonalising_solver.hpp"
#include "density/elpa/processes.hpp"
#include "density/elpa/shared_eigenproblem.hpp"
#include "stembridge/base/ranks.hpp"

namespace stembridge::tb {

/// Full diagonalisation by ELPA, at Gamma and at k-points. The matrices are dealt out to all processes; here
/// are those on the pattern, as with every other solver.
class ElpaSolver final : public DiagonalisingSolver {
  public:
    /// @throw UnsupportedError on a process that is not the first
    ElpaSolver();
    ~ElpaSolver() override;
    std::string name() const override { return "elpa"; }
    void analyze(const BlockPattern& pattern, const KPoints& kpoints) override;
    void set_overlap(const BlockMatrix& overlap) override;

  private:
    std::vector<Eigen::MatrixXd> levels_of(const std::vector<BlockMatrix>& hamiltonian) override;
    void add_weighted_states(std::size_t spin, const Eigen::MatrixXd& weights, BlockMatrix& out) override;
    void copy_states(std::size_t spin, const LevelRange& levels, NearStates& near) const override;
    void drop();

    Ranks ranks_;  // MPI is there as long as this is
    int number_;   // of the solver
    std::unique_ptr<SharedEigenproblem> problem_;
};

}  // namespace stembridge::tb

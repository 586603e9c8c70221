// SPDX-License-Identifier: Apache-2.0
// Collective changes of the spins that cost no energy, or gain some.
#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>

#include "scc/response.hpp"

namespace stembridge::tb {

/// Steps of the spins where 1 - chi K, with the charges following, has eigenvalues lambda near zero or below.
/// A Newton step divides by them: it has no bound where a moment is about to form, and where one must form (a
/// dangling bond that has lost its moment, a saddle of the energy) it leads back to the saddle. Divided by
/// their size it leads away.
/// @source Dauphin et al., Adv. Neural Inf. Process. Syst. 27, 2933 (2014), arXiv:1406.2572
class SpinModes {
  public:
    SpinModes() = default;
    /// @param spin W, negative definite, (spins, spins), a block for each atom
    /// @param dielectric factors of 1 - chi K, (sites + spins, sites + spins)
    /// @param longest largest of 1/|lambda| that a step may hold
    SpinModes(const Response& chi, const Eigen::SparseMatrix<double>& spin,
              const Eigen::PartialPivLU<Eigen::MatrixXd>& dielectric, double longest);

    /// Makes a Newton step one that has bounds and does not rise in energy. @param step (sites + spins)
    void mend(Eigen::VectorXd& step) const;

  private:
    Eigen::VectorXd factor_;   ///< of `answers_` for each unit along a mode, (modes)
    Eigen::MatrixXd along_;    ///< -W m, (spins, modes)
    Eigen::MatrixXd answers_;  ///< (1 - chi K)^-1 m, (sites + spins, modes)
};

}  // namespace stembridge::tb

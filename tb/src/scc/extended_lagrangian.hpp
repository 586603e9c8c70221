// SPDX-License-Identifier: Apache-2.0
// Charges as classical coordinates that follow the ground state without being converged in every step.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "stembridge/base/state.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::tb {

/// Auxiliary charges n of extended-Lagrangian Born-Oppenheimer dynamics, with weak dissipation:
///   n(t + dt) = 2 n(t) - n(t - dt) + kappa K [q(t) - n(t)] + alpha sum_k c_k n(t - k dt)
/// q are the charges that the Hamiltonian of n gives, K models the inverse of the Jacobian of n - q(n), so
/// that K (q - n) is about n* - n with the self-consistent n*.
/// @source Niklasson et al., J. Chem. Phys. 130, 214109 (2009), table I, K = 5; kernel: Niklasson, Cawkwell,
/// J. Chem. Phys. 141, 164123 (2014)
class ExtendedLagrangian {
  public:
    /// Error of a charge, e, from which on charges no longer follow the atoms.
    static constexpr double lost = 0.2;

    /// n of the next step; empty until enough steps are known, for other atoms, and after a jump of an atom.
    std::optional<Eigen::VectorXd> next(const Structure& structure) const;
    /// Takes in a step whose charges were converged: q - n is then the exact K (q - n).
    void add_converged(const Structure& structure, const Eigen::VectorXd& q);
    /// Takes in a step. @param n its auxiliary charges, or its converged ones
    /// @param correction K (q - n), zero for converged charges
    void add(const Structure& structure, const Eigen::VectorXd& n, const Eigen::VectorXd& correction);
    void clear() { *this = {}; }

    State save() const;
    /// @throw FileError when the entries do not fit together
    void restore(const State& state);

  private:
    bool continues(const Structure& structure) const;

    std::vector<std::int64_t> atomic_numbers_;
    Eigen::Matrix3Xd positions_;           // of the last step
    std::deque<Eigen::VectorXd> history_;  // n, the last step first
    Eigen::VectorXd correction_;           // of the last step
};

}  // namespace stembridge::tb

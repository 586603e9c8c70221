// SPDX-License-Identifier: Apache-2.0
// Hamiltonian and overlap blocks of a pair of elements.
#pragma once

#include <Eigen/Dense>

#include "hamiltonian/radial_table.hpp"
#include "hamiltonian/slater_koster.hpp"
#include "stembridge/tb/basis.hpp"
#include "stembridge/tb/tables/skf.hpp"

namespace stembridge::tb {

/// Two-centre integrals between an atom of element a and one of element b.
class TwoCentre {
  public:
    /// @param ab file of a-b: shells with l_a <= l_b  @param ba file of b-a: the others
    TwoCentre(const ElementData& a, const ElementData& b, const SkfTable& ab, const SkfTable& ba);

    /// Beyond this distance all is zero, bohr.
    double range() const { return std::max(ab_.range(), ba_.range()); }
    /// Below this distance the files hold no numbers, bohr.
    double closest() const { return closest_; }

    /// Blocks of H0 and S, (orbitals of a, orbitals of b), for b at r from a.
    void blocks(const Eigen::Vector3d& r, OrbitalBlock hamiltonian, OrbitalBlock overlap) const;
    /// d/dr of sum (A_h H0 + A_s S), weights A shaped as the blocks.
    Eigen::Vector3d gradient(const Eigen::Vector3d& r, const ConstOrbitalBlock& weights_h,
                             const ConstOrbitalBlock& weights_s) const;

  private:
    /// Integrals of a distance: first those of a-b, then those of b-a; H then S in each pair of shells.
    struct Integrals {
        std::array<double, 2 * SkfTable::n_integrals> value{}, derivative{};
    };
    void integrals(double r, bool with_derivative, Integrals& out) const;

    /// Two shells and where their integrals start; H0 has `n` integrals, S follows with as many.
    struct ShellPair {
        int la, lb, first, n;
    };
    std::vector<ShellPair> pairs_;
    RadialTable ab_, ba_;
    double closest_;
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Interaction of two exponentially decaying spherical charges.
#pragma once

#include <array>
#include <optional>

namespace stembridge::tb {

/// gamma(R) = 1/R - S(R) of two charges with Hubbard parameters U_a, U_b, hartree.
/// @source Elstner et al., Phys. Rev. B 58, 7260 (1998), doi:10.1103/PhysRevB.58.7260
class Gamma {
  public:
    /// @param hubbard_a, hubbard_b positive, hartree  @param damping exponent zeta: S is multiplied by
    /// exp(-((U_a + U_b) / 2)^zeta R^2)  @source Gaus, Cui, Elstner, J. Chem. Theory Comput. 7, 931 (2011)
    Gamma(double hubbard_a, double hubbard_b, std::optional<double> damping = std::nullopt);
    /// S(R) and dS/dR for R > 0, bohr.
    std::array<double, 2> short_range(double r) const;
    /// dS/dU_a and d2S/(dU_a dR) for R > 0; for equal parameters, by the convention of DFTB3, dS/dU of their
    /// common value.
    std::array<double, 2> hubbard_derivative(double r) const;
    /// gamma(0).
    double on_site() const;
    /// Distance beyond which S(R) is below the tolerance, bohr.
    double range(double tolerance) const;

  private:
    double hubbard_a_, hubbard_b_;
    std::optional<double> damping_;
    bool equal_;
};

}  // namespace stembridge::tb

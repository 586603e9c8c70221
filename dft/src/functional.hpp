// SPDX-License-Identifier: Apache-2.0
// Exchange-correlation functionals of libxc behind names.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace stembridge::dft {

/// Exchange-correlation energy and its derivatives at one or many points, Hartree atomic units.
class Functional {
  public:
    /// @param name "lda" (Slater and PW92), "pbe", or libxc names joined by '+'  @throw InputError for a name
    /// that libxc does not know or that is neither LDA nor GGA
    Functional(const std::string& name, bool polarized);
    ~Functional();
    Functional(Functional&&) noexcept;
    Functional& operator=(Functional&&) noexcept;

    bool is_gga() const;

    /// Per point: unpolarised n, sigma = |grad n|^2; polarised (n_up, n_down), (s_uu, s_ud, s_dd),
    /// interleaved.
    /// @param energy per volume (hartree/bohr^3)  @param v_rho, v_sigma derivatives of it, laid out as the
    /// input
    void evaluate(std::size_t points, const double* rho, const double* sigma, double* energy, double* v_rho,
                  double* v_sigma) const;

  private:
    struct Part;
    std::vector<Part> parts_;
    bool polarized_;
};

}  // namespace stembridge::dft

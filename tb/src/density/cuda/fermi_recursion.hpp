// SPDX-License-Identifier: Apache-2.0
// The Fermi operator of a matrix by doubling: half the temperature with every step, nothing but products and
// Cholesky factors.
#pragma once

#include "density/cuda/device_array.hpp"

namespace stembridge::tb {

/// T = tanh((A - mu) / 2 kT), so that the Fermi operator is (1 - T) / 2. From a temperature at which a
/// rational function gives T,
///   tanh 2u = 2 T / (1 + T^2),   tanh(u - d/2) = (T - t) / (1 - t T) with t = tanh(d/2),
/// halve the temperature and move mu by d kT, exactly. The determinants of what is inverted add up to
/// Tr ln cosh u, which the entropy needs.
/// @source Niklasson, Phys. Rev. B 68, 233104 (2003), doi:10.1103/PhysRevB.68.233104: doubling with
/// f(2x) = f^2 / (f^2 + (1 - f)^2)
template <typename Real>
class FermiRecursion {
  public:
    /// Matrices that several recursions may share, as they only live within a call.
    struct Scratch {
        DeviceArray<Real> square, work, product, denominator;
        void resize(Device& device, std::size_t n_elements);
    };
    /// Spectral width |A - mu| / kT up to which begin() is exact to rounding.
    static constexpr double largest_start = 2;

    /// @param device, scratch must outlive it
    FermiRecursion(Device& device, int n, Scratch& scratch);
    /// T at a temperature so high that |A - mu| <= largest_start * kT, by a rational function.
    /// @param a (n, n) symmetric  @param mu, kT hartree
    /// @throw NumericalError when the matrix holds numbers that are not finite
    void begin(const DeviceArray<Real>& a, double mu, double kT);
    /// Half the temperature.
    void halve_temperature();
    /// mu += d kT.
    void shift(double d);

    double mu() const { return mu_; }
    double kT() const { return kT_; }
    /// Tr f.
    double electrons() const { return electrons_; }
    /// kT d(Tr f)/d(mu) = Tr f (1 - f).
    double slope() const { return slope_; }
    /// sum of -f ln f - (1 - f) ln(1 - f). @param a as in begin()
    double entropy(const DeviceArray<Real>& a) const;
    /// Tr A f.
    double energy(const DeviceArray<Real>& a) const;
    const DeviceArray<Real>& tanh() const { return t_; }
    /// T T, both triangles, in the shared scratch.
    const DeviceArray<Real>& square();

  private:
    /// T <- D^-1 N with N in T and D, positive definite, in the denominator. @return ln det D
    double divide();
    void measure();

    Device& device_;
    int n_;
    Scratch& scratch_;
    DeviceArray<Real> t_;
    double mu_ = 0, kT_ = 1, electrons_ = 0, slope_ = 0;
    double log_cosh_ = 0;  ///< Tr ln cosh((A - mu) / 2 kT)
};

/// Ends of the spectrum of a symmetric matrix by some steps of Lanczos, a little outside of the true ones.
struct SpectralRange {
    double lowest = 0, highest = 0;
};
/// @param a (n, n)  @throw NumericalError when the matrix holds numbers that are not finite
SpectralRange spectral_range(Device& device, int n, const DeviceArray<double>& a);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Factorisation A = L D U of H(k) - z S(k) over the same tree of fronts as Multifrontal, and its selected
// inverse.
#pragma once

#include <complex>
#include <stop_token>
#include <vector>

#include "density/pole_expansion/symbolic.hpp"
#include "stembridge/tb/kpoints.hpp"

namespace stembridge::tb {

/// At a k-point H and S are Hermitian, so that H - z S has a symmetric pattern but neither symmetry of
/// values.
class BlochMultifrontal {
  public:
    /// @param symbolic of this pattern; must outlive it
    BlochMultifrontal(const Symbolic& symbolic, const BlockPattern& pattern);

    /// Factorises H(k) - z S(k).
    /// @param hamiltonian values on the pattern; nullptr = zero  @param overlap likewise
    /// @param k in fractions of the reciprocal vectors
    /// @return number of negative eigenvalues when z is real; 0 else
    /// @throw StoppedError when asked to stop  @throw NumericalError for a singular diagonal block
    int factorize(const double* hamiltonian, const double* overlap, std::complex<double> z,
                  const Eigen::Vector3d& k, const std::stop_token& stop);

    /// out += weight / 2 (G_ij e^-ikT + G_ji^T e^ikT) for the blocks of the pattern, after factorize(): what
    /// the sum over k and -k gives, since G(-k) = G(k)^T.
    /// @param out (n_values of the pattern)
    void add_selected_inverse(double weight, std::complex<double>* out, const std::stop_token& stop);

    static std::size_t bytes(const Symbolic& symbolic);

  private:
    const Symbolic& symbolic_;
    std::vector<std::vector<const Block*>> blocks_;  ///< of symbolic_.places
    std::vector<std::vector<std::complex<double>>> phases_;
    std::vector<std::size_t> upper_offset_;     ///< per front, of U
    std::vector<std::complex<double>> factor_;  ///< per front: D^-1 above L, columns of length size()
    std::vector<std::complex<double>> upper_;   ///< per front: U, (pivots, boundary)
    std::vector<std::complex<double>> stack_, front_, work_;
};

}  // namespace stembridge::tb

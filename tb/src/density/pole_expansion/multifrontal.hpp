// SPDX-License-Identifier: Apache-2.0
// Factorisation A = L D L^T of a sparse symmetric matrix over a tree of dense fronts, and its selected
// inverse.
#pragma once

#include <complex>
#include <stop_token>
#include <vector>

#include "density/pole_expansion/symbolic.hpp"

namespace stembridge::tb {

/// A = H - z S on the pattern, symmetric (not Hermitian). Pivots are exchanged within small diagonal blocks
/// only: Im A is definite for Im z > 0, so that no block can be singular.
/// @tparam Scalar double (for counting eigenvalues), std::complex<double> or std::complex<float>
template <typename Scalar>
class Multifrontal {
  public:
    /// @param symbolic must outlive it
    explicit Multifrontal(const Symbolic& symbolic);

    /// Factorises H - z S.
    /// @param hamiltonian values on the pattern; nullptr = zero  @param overlap likewise
    /// @return number of negative eigenvalues of A (real matrices; 0 else)
    /// @throw StoppedError when asked to stop  @throw NumericalError for a singular diagonal block
    int factorize(const double* hamiltonian, const double* overlap, Scalar z, const std::stop_token& stop);

    /// The blocks of (H - z S)^-1 on the pattern, after factorize(). Those of images hold the folded value.
    /// @param out (n_values of the pattern)
    /// @source Takahashi, Fagan, Chin, 8th PICA Conf. (1973); Lin et al., ACM Trans. Math. Softw. 37, 40
    /// (2011)
    void selected_inverse(std::complex<double>* out, const std::stop_token& stop);

  private:
    const Symbolic& symbolic_;
    std::vector<Scalar> factor_;  ///< per front: D^-1 (lower triangle) above L, columns of length size()
    std::vector<Scalar> stack_;   ///< what waits for parents (factor) or children (inverse), lower triangles
    std::vector<Scalar> front_, work_;
};

/// Inverse of a symmetric matrix in place, lower triangles.
/// @param work n^2 / 4 + n numbers at least  @return number of negative eigenvalues (real matrices; 0 else)
/// @throw NumericalError when singular
template <typename Scalar>
int invert_symmetric(int n, Scalar* a, int lda, Scalar* work);

/// C -= A B^T (or A^T B when transposed), lower triangle of C only, for products known to be symmetric.
template <typename Scalar>
void subtract_symmetric_product(bool transposed, int n, int k, const Scalar* a, int lda, const Scalar* b,
                                int ldb, Scalar* c, int ldc);

}  // namespace stembridge::tb

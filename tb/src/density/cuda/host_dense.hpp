// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "density/cuda/device.hpp"

namespace stembridge::tb {

/// Dense algebra by OpenBLAS and LAPACK.
template <typename Real>
class HostDense final : public DenseOperations<Real> {
  public:
    void multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha, const Real* a,
                  int lda, const Real* b, int ldb, double beta, Real* c, int ldc) override;
    void multiply_by_own_transpose(int n, const Real* a, Real* c) override;
    bool cholesky(int n, Real* a) override;
    void solve_triangular(bool right, bool transpose, int n, int columns, const Real* l, Real* b,
                          int ldb) override;
    void eigensystem(int n, Real* a, Real* values) override;
    void combine(std::size_t n, double alpha, const Real* x, double beta, Real* y) override;
    void add_to_diagonal(int n, double alpha, Real* a) override;
    void mirror_lower(int n, Real* a) override;
    void symmetrize(int n, Real* a) override;
    void scale_columns(int n, int m, const Real* a, const Real* w, Real* out) override;
    double trace(int n, const Real* a) override;
    double dot(std::size_t n, const Real* x, const Real* y) override;
    double log_of_diagonal(int n, const Real* a) override;
    void from_double(std::size_t n, const double* x, Real* y) override;
    void to_double(std::size_t n, const Real* x, double* y) override;
    void scatter(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                 const double* values, int n, Real* a) override;
    void gather(std::size_t count, const std::int64_t* position, double alpha, const Real* a, double beta,
                double* out) override;
};

}  // namespace stembridge::tb

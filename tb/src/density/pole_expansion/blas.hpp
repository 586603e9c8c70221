// SPDX-License-Identifier: Apache-2.0
// The few BLAS and LAPACK calls of the factorisation under one name for every type of number.
#pragma once

#include <cblas.h>

#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>

namespace stembridge::tb::blas {

/// C += alpha op(A) op(B), column-major.
inline void add_product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha,
                        const double* a, int lda, const double* b, int ldb, double* c, int ldc) {
    cblas_dgemm(CblasColMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, 1.0, c, ldc);
}
inline void add_product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha,
                        const std::complex<double>* a, int lda, const std::complex<double>* b, int ldb,
                        std::complex<double>* c, int ldc) {
    const std::complex<double> factor = alpha, one = 1;
    cblas_zgemm(CblasColMajor, ta, tb, m, n, k, &factor, a, lda, b, ldb, &one, c, ldc);
}
inline void add_product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha,
                        const std::complex<float>* a, int lda, const std::complex<float>* b, int ldb,
                        std::complex<float>* c, int ldc) {
    const std::complex<float> factor(static_cast<float>(alpha)), one = 1;
    cblas_cgemm(CblasColMajor, ta, tb, m, n, k, &factor, a, lda, b, ldb, &one, c, ldc);
}

/// C = alpha A B (A on the left) or alpha B A (on the right), A symmetric, its lower triangle given.
inline void symmetric_product(CBLAS_SIDE side, int m, int n, double alpha, const double* a, int lda,
                              const double* b, int ldb, double* c, int ldc) {
    cblas_dsymm(CblasColMajor, side, CblasLower, m, n, alpha, a, lda, b, ldb, 0.0, c, ldc);
}
inline void symmetric_product(CBLAS_SIDE side, int m, int n, double alpha, const std::complex<double>* a,
                              int lda, const std::complex<double>* b, int ldb, std::complex<double>* c,
                              int ldc) {
    const std::complex<double> factor = alpha, zero = 0;
    cblas_zsymm(CblasColMajor, side, CblasLower, m, n, &factor, a, lda, b, ldb, &zero, c, ldc);
}
inline void symmetric_product(CBLAS_SIDE side, int m, int n, double alpha, const std::complex<float>* a,
                              int lda, const std::complex<float>* b, int ldb, std::complex<float>* c,
                              int ldc) {
    const std::complex<float> factor(static_cast<float>(alpha)), zero = 0;
    cblas_csymm(CblasColMajor, side, CblasLower, m, n, &factor, a, lda, b, ldb, &zero, c, ldc);
}

/// Triangular factors with row exchanges, then the inverse. @return LAPACK's info
inline int invert(int n, std::complex<double>* a, int* pivots, std::complex<double>* work) {
    const int info = LAPACKE_zgetrf_work(LAPACK_COL_MAJOR, n, n, a, n, pivots);
    return info != 0 ? info : LAPACKE_zgetri_work(LAPACK_COL_MAJOR, n, a, n, pivots, work, n);
}
inline int invert(int n, std::complex<float>* a, int* pivots, std::complex<float>* work) {
    const int info = LAPACKE_cgetrf_work(LAPACK_COL_MAJOR, n, n, a, n, pivots);
    return info != 0 ? info : LAPACKE_cgetri_work(LAPACK_COL_MAJOR, n, a, n, pivots, work, n);
}

}  // namespace stembridge::tb::blas

// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/host_dense.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

CBLAS_TRANSPOSE op(bool transpose) {
    return transpose ? CblasTrans : CblasNoTrans;
}

std::size_t square(int n) {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
}

std::size_t diagonal(int n, int i) {
    return static_cast<std::size_t>(i) * static_cast<std::size_t>(n + 1);
}

void check(lapack_int info, const char* call) {
    if (info != 0) throw BackendError(fmt::format("{} failed (code {})", call, info));
}

}  // namespace

template <typename Real>
void HostDense<Real>::multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha,
                               const Real* a, int lda, const Real* b, int ldb, double beta, Real* c,
                               int ldc) {
    if constexpr (std::is_same_v<Real, double>)
        cblas_dgemm(CblasColMajor, op(transpose_a), op(transpose_b), m, n, k, alpha, a, lda, b, ldb, beta, c,
                    ldc);
    else
        cblas_sgemm(CblasColMajor, op(transpose_a), op(transpose_b), m, n, k, static_cast<float>(alpha), a,
                    lda, b, ldb, static_cast<float>(beta), c, ldc);
}

template <typename Real>
void HostDense<Real>::multiply_by_own_transpose(int n, const Real* a, Real* c) {
    if constexpr (std::is_same_v<Real, double>)
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, n, 1, a, n, 0, c, n);
    else
        cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, n, n, 1, a, n, 0, c, n);
}

template <typename Real>
bool HostDense<Real>::cholesky(int n, Real* a) {
    lapack_int info = 0;
    if constexpr (std::is_same_v<Real, double>)
        info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, a, n);
    else
        info = LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'L', n, a, n);
    check(std::min(info, 0), "potrf");
    return info == 0;
}

template <typename Real>
void HostDense<Real>::solve_triangular(bool right, bool transpose, int n, int columns, const Real* l, Real* b,
                                       int ldb) {
    const CBLAS_SIDE side = right ? CblasRight : CblasLeft;
    const int rows = right ? columns : n, width = right ? n : columns;
    if constexpr (std::is_same_v<Real, double>)
        cblas_dtrsm(CblasColMajor, side, CblasLower, op(transpose), CblasNonUnit, rows, width, 1, l, n, b,
                    ldb);
    else
        cblas_strsm(CblasColMajor, side, CblasLower, op(transpose), CblasNonUnit, rows, width, 1, l, n, b,
                    ldb);
}

template <typename Real>
void HostDense<Real>::eigensystem(int n, Real* a, Real* values) {
    if constexpr (std::is_same_v<Real, double>)
        check(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, a, n, values), "dsyevd");
    else
        check(LAPACKE_ssyevd(LAPACK_COL_MAJOR, 'V', 'L', n, a, n, values), "ssyevd");
}

template <typename Real>
void HostDense<Real>::combine(std::size_t n, double alpha, const Real* x, double beta, Real* y) {
    const auto a = static_cast<Real>(alpha), b = static_cast<Real>(beta);
    if (beta == 0)
        for (std::size_t i = 0; i < n; ++i) y[i] = a * x[i];
    else
        for (std::size_t i = 0; i < n; ++i) y[i] = a * x[i] + b * y[i];
}

template <typename Real>
void HostDense<Real>::add_to_diagonal(int n, double alpha, Real* a) {
    for (int i = 0; i < n; ++i) a[diagonal(n, i)] += static_cast<Real>(alpha);
}

template <typename Real>
void HostDense<Real>::mirror_lower(int n, Real* a) {
    const auto ld = static_cast<std::size_t>(n);
    for (std::size_t j = 0; j < ld; ++j)
        for (std::size_t i = j + 1; i < ld; ++i) a[i * ld + j] = a[j * ld + i];
}

template <typename Real>
void HostDense<Real>::symmetrize(int n, Real* a) {
    const auto ld = static_cast<std::size_t>(n);
    for (std::size_t j = 0; j < ld; ++j)
        for (std::size_t i = j + 1; i < ld; ++i)
            a[i * ld + j] = a[j * ld + i] = (a[j * ld + i] + a[i * ld + j]) / 2;
}

template <typename Real>
void HostDense<Real>::scale_columns(int n, int m, const Real* a, const Real* w, Real* out) {
    const auto ld = static_cast<std::size_t>(n);
    for (std::size_t j = 0; j < static_cast<std::size_t>(m); ++j)
        for (std::size_t i = 0; i < ld; ++i) out[j * ld + i] = w[j] * a[j * ld + i];
}

template <typename Real>
double HostDense<Real>::trace(int n, const Real* a) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += static_cast<double>(a[diagonal(n, i)]);
    return sum;
}

template <typename Real>
double HostDense<Real>::dot(std::size_t n, const Real* x, const Real* y) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    return sum;
}

template <typename Real>
double HostDense<Real>::log_of_diagonal(int n, const Real* a) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += std::log(static_cast<double>(a[diagonal(n, i)]));
    return sum;
}

template <typename Real>
void HostDense<Real>::from_double(std::size_t n, const double* x, Real* y) {
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<Real>(x[i]);
}

template <typename Real>
void HostDense<Real>::to_double(std::size_t n, const Real* x, double* y) {
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<double>(x[i]);
}

template <typename Real>
void HostDense<Real>::scatter(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                              const double* values, int n, Real* a) {
    std::fill(a, a + square(n), Real(0));
    for (std::size_t k = 0; k < count; ++k) a[position[k]] = a[mirror[k]] = static_cast<Real>(values[k]);
}

template <typename Real>
void HostDense<Real>::gather(std::size_t count, const std::int64_t* position, double alpha, const Real* a,
                             double beta, double* out) {
    for (std::size_t k = 0; k < count; ++k)
        out[k] = alpha * static_cast<double>(a[position[k]]) + (beta == 0 ? 0 : beta * out[k]);
}

template class HostDense<double>;
template class HostDense<float>;

}  // namespace stembridge::tb

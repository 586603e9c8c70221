// SPDX-License-Identifier: Apache-2.0
// cuBLAS and cuSOLVER by BLAS and LAPACK.
#include <cblas.h>
#include <lapacke.h>

#include <cstring>
#include <string>

#include "emulator.hpp"
#include "include/cublas_v2.h"
#include "include/cusolverDn.h"

using cuda_emulator::fault;
using cuda_emulator::on_device;

struct cublasContext {
    int device;
    cudaStream_t stream;
};
struct cusolverDnContext {
    int device;
    cudaStream_t stream;
};
struct cusolverDnParams {
    int device;
    cudaStream_t stream;
};

namespace {

std::size_t size(long long n) {
    return static_cast<std::size_t>(n);
}

/// Whether `count` matrices (rows, columns) lie in memory of the device.
template <typename T>
bool lies_well(const T* a, long long rows, long long columns, long long ld, long long stride = 0,
               long long count = 1) {
    if (rows < 0 || columns < 0 || count < 0 || ld < 1 || ld < rows) return false;
    if (rows == 0 || columns == 0 || count == 0) return true;
    return on_device(a, size((count - 1) * stride + (columns - 1) * ld + rows) * sizeof(T));
}

template <typename Context, typename Status>
Status start(Context* handle, const char* call, bool good, Status invalid, std::function<void()> work) {
    if (handle->device != cuda_emulator::current_device()) {
        fault(cudaErrorInvalidResourceHandle, std::string(call) + ": a handle of another device");
        return invalid;
    }
    if (!good) {
        fault(cudaErrorInvalidValue, std::string(call) + ": sizes, leading dimensions or addresses");
        return invalid;
    }
    return cuda_emulator::queue(handle->stream, std::move(work)) == cudaSuccess ? Status{} : invalid;
}

CBLAS_TRANSPOSE op(cublasOperation_t t) {
    return t == CUBLAS_OP_N ? CblasNoTrans : CblasTrans;
}

/// Product of real or complex matrices. @param gemm of cblas
template <typename T, typename Scalar, typename Gemm>
cublasStatus_t product(const char* call, cublasHandle_t handle, cublasOperation_t op_a,
                       cublasOperation_t op_b, int m, int n, int k, Scalar alpha, const T* a, int lda,
                       long long stride_a, const T* b, int ldb, long long stride_b, Scalar beta, T* c,
                       int ldc, long long stride_c, int count, Gemm gemm) {
    const bool plain_a = op_a == CUBLAS_OP_N, plain_b = op_b == CUBLAS_OP_N;
    const bool good = lies_well(a, plain_a ? m : k, plain_a ? k : m, lda, stride_a, count) &&
                      lies_well(b, plain_b ? k : n, plain_b ? n : k, ldb, stride_b, count) &&
                      lies_well(c, m, n, ldc, stride_c, count);
    return start(handle, call, good, CUBLAS_STATUS_INVALID_VALUE, [=] {
        for (int j = 0; j < count; ++j)
            gemm(CblasColMajor, op(op_a), op(op_b), m, n, k, alpha, a + j * stride_a, lda, b + j * stride_b,
                 ldb, beta, c + j * stride_c, ldc);
    });
}

CBLAS_SIDE side_of(cublasSideMode_t side) {
    return side == CUBLAS_SIDE_LEFT ? CblasLeft : CblasRight;
}
CBLAS_UPLO fill_of(cublasFillMode_t fill) {
    return fill == CUBLAS_FILL_MODE_LOWER ? CblasLower : CblasUpper;
}
CBLAS_DIAG diagonal_of(cublasDiagType_t diagonal) {
    return diagonal == CUBLAS_DIAG_UNIT ? CblasUnit : CblasNonUnit;
}

/// C = alpha op(A) op(A)^T + beta C, one triangle. @param syrk of cblas
template <typename T, typename Syrk>
cublasStatus_t rank_update(const char* call, cublasHandle_t handle, cublasFillMode_t fill,
                           cublasOperation_t t, int n, int k, T alpha, const T* a, int lda, T beta, T* c,
                           int ldc, Syrk syrk) {
    const bool plain = t == CUBLAS_OP_N;
    const bool good = lies_well(a, plain ? n : k, plain ? k : n, lda) && lies_well(c, n, n, ldc);
    return start(handle, call, good, CUBLAS_STATUS_INVALID_VALUE,
                 [=] { syrk(CblasColMajor, fill_of(fill), op(t), n, k, alpha, a, lda, beta, c, ldc); });
}

/// B = alpha op(A)^-1 B, or B op(A)^-1. @param trsm of cblas
template <typename T, typename Trsm>
cublasStatus_t triangular_solve(const char* call, cublasHandle_t handle, cublasSideMode_t side,
                                cublasFillMode_t fill, cublasOperation_t t, cublasDiagType_t diagonal, int m,
                                int n, T alpha, const T* a, int lda, T* b, int ldb, Trsm trsm) {
    const int order = side == CUBLAS_SIDE_LEFT ? m : n;
    const bool good = lies_well(a, order, order, lda) && lies_well(b, m, n, ldb);
    return start(handle, call, good, CUBLAS_STATUS_INVALID_VALUE, [=] {
        trsm(CblasColMajor, side_of(side), fill_of(fill), op(t), diagonal_of(diagonal), m, n, alpha, a, lda,
             b, ldb);
    });
}

/// @param too_many what is returned then
template <typename Handle, typename Status>
Status open_handle(Handle** handle, Status too_many) {
    if (!cuda_emulator::open_one_handle()) return too_many;
    *handle = new Handle{cuda_emulator::current_device(), nullptr};
    return Status{};
}
template <typename Handle>
void close_handle(Handle* handle) {
    cuda_emulator::close_one_handle();
    delete handle;
}

/// Room that the call may use as it likes: left full of NaN.
void scribble(void* memory, std::size_t bytes) {
    std::memset(memory, 0xff, bytes);
}

std::size_t width_of(cudaDataType type) {
    return type == CUDA_R_64F ? sizeof(double) : sizeof(float);
}

bool matrix_lies_well(cudaDataType type, const void* a, long long n, long long ld) {
    return type == CUDA_R_64F ? lies_well(static_cast<const double*>(a), n, n, ld)
                              : lies_well(static_cast<const float*>(a), n, n, ld);
}

constexpr std::size_t host_room = 64;

}  // namespace

const char* cublasGetStatusString(cublasStatus_t status) {
    return status == CUBLAS_STATUS_SUCCESS        ? "CUBLAS_STATUS_SUCCESS"
           : status == CUBLAS_STATUS_ALLOC_FAILED ? "CUBLAS_STATUS_ALLOC_FAILED"
                                                  : "CUBLAS_STATUS_INVALID_VALUE";
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
    return open_handle(handle, CUBLAS_STATUS_ALLOC_FAILED);
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
    close_handle(handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemm(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                           int n, int k, const double* alpha, const double* a, int lda, const double* b,
                           int ldb, const double* beta, double* c, int ldc) {
    return product("cublasDgemm", handle, op_a, op_b, m, n, k, *alpha, a, lda, 0, b, ldb, 0, *beta, c, ldc, 0,
                   1, cblas_dgemm);
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                           int n, int k, const float* alpha, const float* a, int lda, const float* b, int ldb,
                           const float* beta, float* c, int ldc) {
    return product("cublasSgemm", handle, op_a, op_b, m, n, k, *alpha, a, lda, 0, b, ldb, 0, *beta, c, ldc, 0,
                   1, cblas_sgemm);
}

cublasStatus_t cublasDsyrk(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t t, int n, int k,
                           const double* alpha, const double* a, int lda, const double* beta, double* c,
                           int ldc) {
    return rank_update("cublasDsyrk", handle, fill, t, n, k, *alpha, a, lda, *beta, c, ldc, cblas_dsyrk);
}

cublasStatus_t cublasSsyrk(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t t, int n, int k,
                           const float* alpha, const float* a, int lda, const float* beta, float* c,
                           int ldc) {
    return rank_update("cublasSsyrk", handle, fill, t, n, k, *alpha, a, lda, *beta, c, ldc, cblas_ssyrk);
}

cublasStatus_t cublasDtrsm(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,
                           cublasOperation_t t, cublasDiagType_t diagonal, int m, int n, const double* alpha,
                           const double* a, int lda, double* b, int ldb) {
    return triangular_solve("cublasDtrsm", handle, side, fill, t, diagonal, m, n, *alpha, a, lda, b, ldb,
                            cblas_dtrsm);
}

cublasStatus_t cublasStrsm(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,
                           cublasOperation_t t, cublasDiagType_t diagonal, int m, int n, const float* alpha,
                           const float* a, int lda, float* b, int ldb) {
    return triangular_solve("cublasStrsm", handle, side, fill, t, diagonal, m, n, *alpha, a, lda, b, ldb,
                            cblas_strsm);
}

cublasStatus_t cublasZgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a,
                                         cublasOperation_t op_b, int m, int n, int k,
                                         const cuDoubleComplex* alpha, const cuDoubleComplex* a, int lda,
                                         long long stride_a, const cuDoubleComplex* b, int ldb,
                                         long long stride_b, const cuDoubleComplex* beta, cuDoubleComplex* c,
                                         int ldc, long long stride_c, int count) {
    const auto gemm = [](auto layout, auto ta, auto tb, int mm, int nn, int kk, cuDoubleComplex x, auto* pa,
                         int la, auto* pb, int lb, cuDoubleComplex y, auto* pc,
                         int lc) { cblas_zgemm(layout, ta, tb, mm, nn, kk, &x, pa, la, pb, lb, &y, pc, lc); };
    return product("cublasZgemmStridedBatched", handle, op_a, op_b, m, n, k, *alpha, a, lda, stride_a, b, ldb,
                   stride_b, *beta, c, ldc, stride_c, count, gemm);
}

cublasStatus_t cublasCgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a,
                                         cublasOperation_t op_b, int m, int n, int k, const cuComplex* alpha,
                                         const cuComplex* a, int lda, long long stride_a, const cuComplex* b,
                                         int ldb, long long stride_b, const cuComplex* beta, cuComplex* c,
                                         int ldc, long long stride_c, int count) {
    const auto gemm = [](auto layout, auto ta, auto tb, int mm, int nn, int kk, cuComplex x, auto* pa, int la,
                         auto* pb, int lb, cuComplex y, auto* pc,
                         int lc) { cblas_cgemm(layout, ta, tb, mm, nn, kk, &x, pa, la, pb, lb, &y, pc, lc); };
    return product("cublasCgemmStridedBatched", handle, op_a, op_b, m, n, k, *alpha, a, lda, stride_a, b, ldb,
                   stride_b, *beta, c, ldc, stride_c, count, gemm);
}

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
    return open_handle(handle, CUSOLVER_STATUS_ALLOC_FAILED);
}

cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
    close_handle(handle);
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* parameters) {
    return open_handle(parameters, CUSOLVER_STATUS_ALLOC_FAILED);
}

cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t parameters) {
    close_handle(parameters);
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXpotrf_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, cublasFillMode_t,
                                             std::int64_t n, cudaDataType, const void*, std::int64_t,
                                             cudaDataType type, std::size_t* on_device,
                                             std::size_t* on_host) {
    *on_device = size(n) * width_of(type);
    *on_host = host_room;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXpotrf(cusolverDnHandle_t handle, cusolverDnParams_t, cublasFillMode_t fill,
                                  std::int64_t n, cudaDataType type_a, void* a, std::int64_t lda,
                                  cudaDataType type, void* on_dev, std::size_t device_bytes, void* on_host,
                                  std::size_t host_bytes, int* info) {
    const bool good = type_a == type && matrix_lies_well(type, a, n, lda) && on_device(info, sizeof *info) &&
                      device_bytes >= size(n) * width_of(type) && on_device(on_dev, device_bytes) &&
                      host_bytes >= host_room && !on_device(on_host, host_bytes);
    if (good) scribble(on_host, host_bytes);
    return start(handle, "cusolverDnXpotrf", good, CUSOLVER_STATUS_INVALID_VALUE, [=] {
        scribble(on_dev, device_bytes);
        const char which = fill == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U';
        const auto order = static_cast<lapack_int>(n), ld = static_cast<lapack_int>(lda);
        *info = type == CUDA_R_64F
                    ? LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, which, order, static_cast<double*>(a), ld)
                    : LAPACKE_spotrf_work(LAPACK_COL_MAJOR, which, order, static_cast<float*>(a), ld);
    });
}

cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                             cublasFillMode_t, std::int64_t n, cudaDataType, const void*,
                                             std::int64_t, cudaDataType, const void*, cudaDataType type,
                                             std::size_t* on_device, std::size_t* on_host) {
    *on_device = 2 * size(n) * size(n) * width_of(type);
    *on_host = host_room;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXsyevd(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t mode,
                                  cublasFillMode_t fill, std::int64_t n, cudaDataType type_a, void* a,
                                  std::int64_t lda, cudaDataType type_w, void* w, cudaDataType type,
                                  void* on_dev, std::size_t device_bytes, void* on_host,
                                  std::size_t host_bytes, int* info) {
    const bool good = type_a == type && type_w == type && matrix_lies_well(type, a, n, lda) &&
                      on_device(w, size(n) * width_of(type)) && on_device(info, sizeof *info) &&
                      device_bytes >= 2 * size(n) * size(n) * width_of(type) &&
                      on_device(on_dev, device_bytes) && host_bytes >= host_room &&
                      !on_device(on_host, host_bytes);
    if (good) scribble(on_host, host_bytes);
    return start(handle, "cusolverDnXsyevd", good, CUSOLVER_STATUS_INVALID_VALUE, [=] {
        scribble(on_dev, device_bytes);
        const char job = mode == CUSOLVER_EIG_MODE_VECTOR ? 'V' : 'N',
                   which = fill == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U';
        const auto order = static_cast<lapack_int>(n), ld = static_cast<lapack_int>(lda);
        *info = type == CUDA_R_64F ? LAPACKE_dsyevd(LAPACK_COL_MAJOR, job, which, order,
                                                    static_cast<double*>(a), ld, static_cast<double*>(w))
                                   : LAPACKE_ssyevd(LAPACK_COL_MAJOR, job, which, order,
                                                    static_cast<float*>(a), ld, static_cast<float*>(w));
    });
}

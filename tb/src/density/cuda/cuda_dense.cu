// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <type_traits>
#include <vector>

#include "density/cuda/cuda_dense.hpp"

namespace stembridge::tb::cuda {
namespace {

constexpr unsigned threads = 256;
constexpr int tile = 32;
constexpr unsigned most_partial = 1024;

__device__ std::size_t first_of_grid() {
    return static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ std::size_t step_of_grid() {
    return static_cast<std::size_t>(gridDim.x) * blockDim.x;
}

template <typename Real>
__global__ void combine_kernel(std::size_t n, Real alpha, const Real* x, Real beta, Real* y) {
    for (std::size_t i = first_of_grid(); i < n; i += step_of_grid())
        y[i] = beta == 0 ? alpha * x[i] : alpha * x[i] + beta * y[i];
}

template <typename From, typename To>
__global__ void convert_kernel(std::size_t n, const From* x, To* y) {
    for (std::size_t i = first_of_grid(); i < n; i += step_of_grid()) y[i] = static_cast<To>(x[i]);
}

template <typename Real>
__global__ void add_to_diagonal_kernel(std::size_t n, Real alpha, Real* a) {
    for (std::size_t i = first_of_grid(); i < n; i += step_of_grid()) a[i * (n + 1)] += alpha;
}

/// Block (x, y), x >= y, holds the tile of rows x and columns y and its mirror image.
template <typename Real>
__global__ void symmetrize_kernel(int n, Real* a, bool only_lower) {
    if (blockIdx.x < blockIdx.y) return;
    __shared__ Real lower[tile][tile + 1], upper[tile][tile + 1];
    const std::size_t ld = n;
    const int row0 = blockIdx.x * tile, column0 = blockIdx.y * tile;
    for (int j = threadIdx.y; j < tile; j += blockDim.y) {
        const int i = threadIdx.x;
        if (row0 + i < n && column0 + j < n) lower[j][i] = a[(column0 + j) * ld + row0 + i];
        if (!only_lower && column0 + i < n && row0 + j < n) upper[j][i] = a[(row0 + j) * ld + column0 + i];
    }
    __syncthreads();
    for (int j = threadIdx.y; j < tile; j += blockDim.y) {
        const int i = threadIdx.x;
        // On the diagonal only one of the two tiles may be written, by what lies below.
        if (row0 + i < n && column0 + j < n && !only_lower && (row0 > column0 || i > j))
            a[(column0 + j) * ld + row0 + i] = (lower[j][i] + upper[i][j]) / 2;
        if (column0 + i < n && row0 + j < n && (row0 > column0 || i < j))
            a[(row0 + j) * ld + column0 + i] = only_lower ? lower[i][j] : (lower[i][j] + upper[j][i]) / 2;
    }
}

template <typename Real>
__global__ void scale_columns_kernel(std::size_t n, std::size_t size, const Real* a, const Real* w,
                                     Real* out) {
    for (std::size_t i = first_of_grid(); i < size; i += step_of_grid()) out[i] = w[i / n] * a[i];
}

/// Sums over a block in a fixed order; every thread must come here.
__device__ void write_block_sum(double sum, double* partial) {
    __shared__ double shared[threads];
    shared[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) partial[blockIdx.x] = shared[0];
}

template <typename Real>
__global__ void dot_kernel(std::size_t n, const Real* x, const Real* y, double* partial) {
    double sum = 0;
    for (std::size_t i = first_of_grid(); i < n; i += step_of_grid())
        sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    write_block_sum(sum, partial);
}

template <typename Real>
__global__ void diagonal_kernel(std::size_t n, const Real* a, bool logarithm, double* partial) {
    double sum = 0;
    for (std::size_t i = first_of_grid(); i < n; i += step_of_grid()) {
        const double x = a[i * (n + 1)];
        sum += logarithm ? log(x) : x;
    }
    write_block_sum(sum, partial);
}

template <typename Real>
__global__ void scatter_kernel(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                               const double* values, Real* a) {
    for (std::size_t k = first_of_grid(); k < count; k += step_of_grid())
        a[position[k]] = a[mirror[k]] = static_cast<Real>(values[k]);
}

template <typename Real>
__global__ void gather_kernel(std::size_t count, const std::int64_t* position, double alpha, const Real* a,
                              double beta, double* out) {
    for (std::size_t k = first_of_grid(); k < count; k += step_of_grid())
        out[k] = alpha * static_cast<double>(a[position[k]]) + (beta == 0 ? 0 : beta * out[k]);
}

cublasOperation_t op(bool transpose) {
    return transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
}

template <typename Real>
constexpr cudaDataType type_of() {
    return std::is_same<Real, double>::value ? CUDA_R_64F : CUDA_R_32F;
}

std::size_t square(int n) {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
}

}  // namespace

template <typename Real>
void CudaDense<Real>::multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha,
                               const Real* a, int lda, const Real* b, int ldb, double beta, Real* c,
                               int ldc) {
    const Real x = static_cast<Real>(alpha), y = static_cast<Real>(beta);
    const cublasHandle_t blas = streams_.current->blas;
    if constexpr (std::is_same<Real, double>::value)
        check(cublasDgemm(blas, op(transpose_a), op(transpose_b), m, n, k, &x, a, lda, b, ldb, &y, c, ldc),
              "cublasDgemm");
    else
        check(cublasSgemm(blas, op(transpose_a), op(transpose_b), m, n, k, &x, a, lda, b, ldb, &y, c, ldc),
              "cublasSgemm");
}

template <typename Real>
void CudaDense<Real>::multiply_by_own_transpose(int n, const Real* a, Real* c) {
    const Real one = 1, zero = 0;
    const cublasHandle_t blas = streams_.current->blas;
    if constexpr (std::is_same<Real, double>::value)
        check(cublasDsyrk(blas, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, n, n, &one, a, n, &zero, c, n),
              "cublasDsyrk");
    else
        check(cublasSsyrk(blas, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, n, n, &one, a, n, &zero, c, n),
              "cublasSsyrk");
}

template <typename Real>
bool CudaDense<Real>::cholesky(int n, Real* a) {
    std::size_t on_device = 0, on_host = 0;
    check(cusolverDnXpotrf_bufferSize(streams_.solver, streams_.solver_parameters, CUBLAS_FILL_MODE_LOWER, n,
                                      type_of<Real>(), a, n, type_of<Real>(), &on_device, &on_host),
          "cusolverDnXpotrf_bufferSize");
    std::vector<unsigned char> host_work(on_host + 1);
    int* d_info = info_.at_least<int>(1);
    check(
        cusolverDnXpotrf(streams_.solver, streams_.solver_parameters, CUBLAS_FILL_MODE_LOWER, n,
                         type_of<Real>(), a, n, type_of<Real>(), work_.at_least<unsigned char>(on_device + 1),
                         on_device, host_work.data(), on_host, d_info),
        "cusolverDnXpotrf");
    int info = 0;
    check(cudaMemcpyAsync(&info, d_info, sizeof info, cudaMemcpyDeviceToHost, streams_.main.stream),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(streams_.main.stream), "cudaStreamSynchronize");
    if (info < 0) fail("cusolverDnXpotrf", "argument " + std::to_string(-info));
    return info == 0;
}

template <typename Real>
void CudaDense<Real>::solve_triangular(bool right, bool transpose, int n, int columns, const Real* l, Real* b,
                                       int ldb) {
    const Real one = 1;
    const cublasHandle_t blas = streams_.current->blas;
    const cublasSideMode_t side = right ? CUBLAS_SIDE_RIGHT : CUBLAS_SIDE_LEFT;
    const int rows = right ? columns : n, width = right ? n : columns;
    if constexpr (std::is_same<Real, double>::value)
        check(cublasDtrsm(blas, side, CUBLAS_FILL_MODE_LOWER, op(transpose), CUBLAS_DIAG_NON_UNIT, rows,
                          width, &one, l, n, b, ldb),
              "cublasDtrsm");
    else
        check(cublasStrsm(blas, side, CUBLAS_FILL_MODE_LOWER, op(transpose), CUBLAS_DIAG_NON_UNIT, rows,
                          width, &one, l, n, b, ldb),
              "cublasStrsm");
}

template <typename Real>
void CudaDense<Real>::eigensystem(int n, Real* a, Real* values) {
    std::size_t on_device = 0, on_host = 0;
    check(cusolverDnXsyevd_bufferSize(streams_.solver, streams_.solver_parameters, CUSOLVER_EIG_MODE_VECTOR,
                                      CUBLAS_FILL_MODE_LOWER, n, type_of<Real>(), a, n, type_of<Real>(),
                                      values, type_of<Real>(), &on_device, &on_host),
          "cusolverDnXsyevd_bufferSize");
    std::vector<unsigned char> host_work(on_host + 1);
    int* d_info = info_.at_least<int>(1);
    check(cusolverDnXsyevd(streams_.solver, streams_.solver_parameters, CUSOLVER_EIG_MODE_VECTOR,
                           CUBLAS_FILL_MODE_LOWER, n, type_of<Real>(), a, n, type_of<Real>(), values,
                           type_of<Real>(), work_.at_least<unsigned char>(on_device + 1), on_device,
                           host_work.data(), on_host, d_info),
          "cusolverDnXsyevd");
    int info = 0;
    check(cudaMemcpyAsync(&info, d_info, sizeof info, cudaMemcpyDeviceToHost, streams_.main.stream),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(streams_.main.stream), "cudaStreamSynchronize");
    if (info != 0) fail("cusolverDnXsyevd", "code " + std::to_string(info));
}

template <typename Real>
void CudaDense<Real>::combine(std::size_t n, double alpha, const Real* x, double beta, Real* y) {
    combine_kernel<Real><<<blocks_for(n), threads, 0, streams_.current->stream>>>(
        n, static_cast<Real>(alpha), x, static_cast<Real>(beta), y);
    check_kernel("combine_kernel");
}

template <typename Real>
void CudaDense<Real>::add_to_diagonal(int n, double alpha, Real* a) {
    add_to_diagonal_kernel<Real>
        <<<blocks_for(static_cast<std::size_t>(n)), threads, 0, streams_.current->stream>>>(
            static_cast<std::size_t>(n), static_cast<Real>(alpha), a);
    check_kernel("add_to_diagonal_kernel");
}

template <typename Real>
void CudaDense<Real>::mirror_lower(int n, Real* a) {
    const unsigned tiles = static_cast<unsigned>((n + tile - 1) / tile);
    symmetrize_kernel<Real><<<dim3(tiles, tiles), dim3(tile, 8), 0, streams_.current->stream>>>(n, a, true);
    check_kernel("symmetrize_kernel");
}

template <typename Real>
void CudaDense<Real>::symmetrize(int n, Real* a) {
    const unsigned tiles = static_cast<unsigned>((n + tile - 1) / tile);
    symmetrize_kernel<Real><<<dim3(tiles, tiles), dim3(tile, 8), 0, streams_.current->stream>>>(n, a, false);
    check_kernel("symmetrize_kernel");
}

template <typename Real>
void CudaDense<Real>::scale_columns(int n, int m, const Real* a, const Real* w, Real* out) {
    const std::size_t size = static_cast<std::size_t>(n) * static_cast<std::size_t>(m);
    scale_columns_kernel<Real><<<blocks_for(size), threads, 0, streams_.current->stream>>>(
        static_cast<std::size_t>(n), size, a, w, out);
    check_kernel("scale_columns_kernel");
}

template <typename Real>
double CudaDense<Real>::sum_of_partial(unsigned blocks) {
    std::vector<double> partial(blocks);
    check(cudaMemcpyAsync(partial.data(), partial_.at_least<double>(blocks), blocks * sizeof(double),
                          cudaMemcpyDeviceToHost, streams_.current->stream),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(streams_.current->stream), "cudaStreamSynchronize");
    double sum = 0;
    for (const double x : partial) sum += x;
    return sum;
}

template <typename Real>
double CudaDense<Real>::trace(int n, const Real* a) {
    const unsigned blocks = blocks_for(static_cast<std::size_t>(n), threads, most_partial);
    diagonal_kernel<Real><<<blocks, threads, 0, streams_.current->stream>>>(
        static_cast<std::size_t>(n), a, false, partial_.at_least<double>(most_partial));
    check_kernel("diagonal_kernel");
    return sum_of_partial(blocks);
}

template <typename Real>
double CudaDense<Real>::dot(std::size_t n, const Real* x, const Real* y) {
    const unsigned blocks = blocks_for(n, threads, most_partial);
    dot_kernel<Real>
        <<<blocks, threads, 0, streams_.current->stream>>>(n, x, y, partial_.at_least<double>(most_partial));
    check_kernel("dot_kernel");
    return sum_of_partial(blocks);
}

template <typename Real>
double CudaDense<Real>::log_of_diagonal(int n, const Real* a) {
    const unsigned blocks = blocks_for(static_cast<std::size_t>(n), threads, most_partial);
    diagonal_kernel<Real><<<blocks, threads, 0, streams_.current->stream>>>(
        static_cast<std::size_t>(n), a, true, partial_.at_least<double>(most_partial));
    check_kernel("diagonal_kernel");
    return sum_of_partial(blocks);
}

template <typename Real>
void CudaDense<Real>::from_double(std::size_t n, const double* x, Real* y) {
    convert_kernel<double, Real><<<blocks_for(n), threads, 0, streams_.current->stream>>>(n, x, y);
    check_kernel("convert_kernel");
}

template <typename Real>
void CudaDense<Real>::to_double(std::size_t n, const Real* x, double* y) {
    convert_kernel<Real, double><<<blocks_for(n), threads, 0, streams_.current->stream>>>(n, x, y);
    check_kernel("convert_kernel");
}

template <typename Real>
void CudaDense<Real>::scatter(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                              const double* values, int n, Real* a) {
    check(cudaMemsetAsync(a, 0, square(n) * sizeof(Real), streams_.current->stream), "cudaMemsetAsync");
    scatter_kernel<Real>
        <<<blocks_for(count), threads, 0, streams_.current->stream>>>(count, position, mirror, values, a);
    check_kernel("scatter_kernel");
}

template <typename Real>
void CudaDense<Real>::gather(std::size_t count, const std::int64_t* position, double alpha, const Real* a,
                             double beta, double* out) {
    gather_kernel<Real>
        <<<blocks_for(count), threads, 0, streams_.current->stream>>>(count, position, alpha, a, beta, out);
    check_kernel("gather_kernel");
}

template class CudaDense<double>;
template class CudaDense<float>;

}  // namespace stembridge::tb::cuda

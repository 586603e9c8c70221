// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <type_traits>
#include <vector>

#include "density/cuda/cuda_fronts.hpp"

namespace stembridge::tb::cuda {
namespace {

constexpr int threads = 256;
/// Pivots that eliminate_kernel takes at a time: width^2 = threads, one thread per element of their block.
constexpr int width = 16;
/// Largest front of eliminate_kernel: two panels of it in double precision and the block of pivots take
/// 96 KiB of shared memory, which every GPU from compute capability 8.0 on has.
constexpr int largest_small = 184;
/// Largest block of invert_kernel: 64 KiB, and a row and a column more.
constexpr int widest = 64;
constexpr int partial_blocks = 64;

/// A complex number with the layout of std::complex.
template <typename Real>
struct alignas(2 * sizeof(Real)) Number {
    Real x, y;
};

template <typename Real>
__device__ Number<Real> operator*(Number<Real> a, Number<Real> b) {
    return {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x};
}
template <typename Real>
__device__ Number<Real> operator-(Number<Real> a, Number<Real> b) {
    return {a.x - b.x, a.y - b.y};
}
template <typename Real>
__device__ Number<Real> operator-(Number<Real> a) {
    return {-a.x, -a.y};
}
template <typename Real>
__device__ void add_product(Number<Real> a, Number<Real> b, Number<Real>& c) {
    c.x += a.x * b.x - a.y * b.y;
    c.y += a.x * b.y + a.y * b.x;
}
/// 1 / a, by the larger part first, as far from overflow as std::complex.
template <typename Real>
__device__ Number<Real> inverse(Number<Real> a) {
    if (fabs(a.x) >= fabs(a.y)) {
        const Real ratio = a.y / a.x, scale = 1 / (a.x + a.y * ratio);
        return {scale, -ratio * scale};
    }
    const Real ratio = a.x / a.y, scale = 1 / (a.y + a.x * ratio);
    return {ratio * scale, -scale};
}

template <typename Real>
Number<Real>* numbers(std::complex<Real>* p) {
    return reinterpret_cast<Number<Real>*>(p);
}
template <typename Real>
const Number<Real>* numbers(const std::complex<Real>* p) {
    return reinterpret_cast<const Number<Real>*>(p);
}

__device__ std::size_t first_of_row() {
    return static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ std::size_t step_of_row() {
    return static_cast<std::size_t>(gridDim.x) * blockDim.x;
}

/// Pole = blockIdx.y.
template <typename Real>
__global__ void place_kernel(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                             const double* h, const double* s, const Number<double>* z, Number<Real>* fronts,
                             std::int64_t stride) {
    Number<Real>* f = fronts + blockIdx.y * stride;
    const Number<double> zj = z[blockIdx.y];
    for (std::size_t k = first_of_row(); k < count; k += step_of_row()) {
        const Number<Real> value = {static_cast<Real>(h[k] - zj.x * s[k]), static_cast<Real>(-zj.y * s[k])};
        f[position[k]] = value;
        f[mirror[k]] = value;
    }
}

/// Link = blockIdx.x, pole = blockIdx.z; the columns are shared out over blockIdx.y.
template <typename Real>
__global__ void link_kernel(bool to_parent, const ChildLink* links, const int* rows, Number<Real>* fronts,
                            std::int64_t stride) {
    const ChildLink link = links[blockIdx.x];
    const int b = link.child.n_boundary, p = link.child.n_pivots;
    const std::int64_t size = p + b, parent_size = link.parent.n_pivots + link.parent.n_boundary;
    Number<Real>* child = fronts + blockIdx.z * stride + link.child.offset;
    Number<Real>* parent = fronts + blockIdx.z * stride + link.parent.offset;
    const int* row = rows + link.first_row;
    for (int j = blockIdx.y; j < b; j += gridDim.y)
        for (int i = threadIdx.x; i < b; i += blockDim.x) {
            Number<Real>& there = parent[row[j] * parent_size + row[i]];
            Number<Real>& here = child[(p + j) * size + p + i];
            if (to_parent)
                there = {there.x + here.x, there.y + here.y};
            else
                here = there;
        }
}

/// Front = blockIdx.x, pole = blockIdx.y; the sweep of host_fronts.cpp with a panel in shared memory.
template <typename Real>
__global__ void eliminate_kernel(const FrontShape* shapes, int largest, Number<Real>* fronts,
                                 std::int64_t stride) {
    extern __shared__ __align__(16) unsigned char shared[];
    Number<Real>* c = reinterpret_cast<Number<Real>*>(shared);
    Number<Real>* u = c + largest * width;
    Number<Real>* d = u + largest * width;
    const FrontShape shape = shapes[blockIdx.x];
    Number<Real>* f = fronts + blockIdx.y * stride + shape.offset;
    const int m = shape.n_pivots + shape.n_boundary, t = threadIdx.x;
    for (int first = 0; first < shape.n_pivots; first += width) {
        const int w = min(width, shape.n_pivots - first), end = first + w;
        for (int k = t; k < m * w; k += threads) c[k] = f[first * m + k];
        __syncthreads();
        // D = F_KK^-1 by Gauss and Jordan, an element per thread.
        const int i = t % width, j = t / width;
        const bool mine = i < w && j < w;
        if (mine) d[j * width + i] = c[j * m + first + i];
        __syncthreads();
        for (int k = 0; k < w; ++k) {
            Number<Real> next = {0, 0};
            if (mine) {
                const Number<Real> pivot = inverse(d[k * width + k]);
                const Number<Real> row = d[j * width + k] * pivot;  // element (k, j), scaled
                if (i == k)
                    next = j == k ? pivot : row;
                else if (j == k)
                    next = -(d[k * width + i] * pivot);
                else
                    next = d[j * width + i] - d[k * width + i] * row;
            }
            __syncthreads();
            if (mine) d[j * width + i] = next;
            __syncthreads();
        }
        // U = C D
        for (int k = t; k < m * w; k += threads) {
            const int row = k % m, column = k / m;
            Number<Real> sum = {0, 0};
            for (int l = 0; l < w; ++l) add_product(c[l * m + row], d[column * width + l], sum);
            u[k] = sum;
        }
        __syncthreads();
        // F -= U C^T outside of the rows and columns of the pivots
        for (int k = t; k < m * m; k += threads) {
            const int row = k % m, column = k / m;
            if ((row >= first && row < end) || (column >= first && column < end)) continue;
            Number<Real> sum = {0, 0};
            for (int l = 0; l < w; ++l) add_product(u[l * m + row], c[l * m + column], sum);
            f[k] = f[k] - sum;
        }
        // F_:K = U, F_K: = U^T, F_KK = -D
        for (int k = t; k < m * w; k += threads) {
            const int row = k % m, column = k / m;
            if (row >= first && row < end)
                f[(first + column) * m + row] = -d[column * width + row - first];
            else
                f[(first + column) * m + row] = f[row * m + first + column] = u[k];
        }
        __syncthreads();
    }
}

/// Front = blockIdx.x, pole = blockIdx.y. F12 holds G21^T until F21, which is L, is no longer needed.
template <typename Real>
__global__ void invert_small_kernel(const FrontShape* shapes, Number<Real>* fronts, std::int64_t stride) {
    const FrontShape shape = shapes[blockIdx.x];
    Number<Real>* f = fronts + blockIdx.y * stride + shape.offset;
    const int p = shape.n_pivots, b = shape.n_boundary, m = p + b;
    // G21 = -G22 L
    for (int k = threadIdx.x; k < b * p; k += blockDim.x) {
        const int i = k % b, j = k / b;
        Number<Real> sum = {0, 0};
        for (int l = 0; l < b; ++l) add_product(f[(p + l) * m + p + i], f[j * m + p + l], sum);
        f[(p + i) * m + j] = -sum;
    }
    __syncthreads();
    // G11 = D^-1 - L^T G21
    for (int k = threadIdx.x; k < p * p; k += blockDim.x) {
        // Neighbouring threads have neighbouring j, which is how the longest loop reads G21^T.
        const int i = k / p, j = k % p;
        Number<Real> sum = f[j * m + i];
        for (int l = 0; l < b; ++l) add_product(f[i * m + p + l], f[(p + l) * m + j], sum);
        f[j * m + i] = -sum;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < b * p; k += blockDim.x) {
        const int i = k % b, j = k / b;
        f[j * m + p + i] = f[(p + i) * m + j];
    }
}

/// Pole = blockIdx.x.
template <typename Real>
__global__ void invert_kernel(int n, const Number<Real>* a, int lda, std::int64_t stride, Number<Real>* out) {
    extern __shared__ __align__(16) unsigned char shared[];
    Number<Real>* d = reinterpret_cast<Number<Real>*>(shared);
    Number<Real>*row = d + n * n, *column = row + n;
    a += blockIdx.x * stride;
    out += static_cast<std::int64_t>(blockIdx.x) * n * n;
    for (int k = threadIdx.x; k < n * n; k += blockDim.x)
        d[k] = a[static_cast<std::int64_t>(k / n) * lda + k % n];
    __syncthreads();
    for (int k = 0; k < n; ++k) {
        const Number<Real> pivot = inverse(d[k * n + k]);
        for (int l = threadIdx.x; l < n; l += blockDim.x) {
            row[l] = d[l * n + k] * pivot;
            column[l] = d[k * n + l];
        }
        __syncthreads();
        for (int e = threadIdx.x; e < n * n; e += blockDim.x) {
            const int i = e % n, j = e / n;
            if (i == k)
                d[e] = j == k ? pivot : row[j];
            else if (j == k)
                d[e] = -(column[i] * pivot);
            else
                d[e] = d[e] - column[i] * row[j];
        }
        __syncthreads();
    }
    for (int k = threadIdx.x; k < n * n; k += blockDim.x) out[k] = d[k];
}

/// Pole = blockIdx.y.
template <typename Real>
__global__ void copy_kernel(bool transpose, int m, int n, Real alpha, const Number<Real>* a, int lda,
                            std::int64_t stride_a, Number<Real>* b, int ldb, std::int64_t stride_b) {
    a += blockIdx.y * stride_a;
    b += blockIdx.y * stride_b;
    const std::size_t size = static_cast<std::size_t>(m) * n;
    for (std::size_t k = first_of_row(); k < size; k += step_of_row()) {
        const std::int64_t i = k % m, j = k / m;
        const Number<Real> value = a[j * lda + i];
        b[transpose ? i * ldb + j : j * ldb + i] = {alpha * value.x, alpha * value.y};
    }
}

/// Pole = blockIdx.y.
template <typename Real>
__global__ void gather_kernel(std::size_t count, const std::int64_t* position, const Number<Real>* fronts,
                              std::int64_t stride, Number<Real>* g) {
    const Number<Real>* f = fronts + blockIdx.y * stride;
    for (std::size_t k = first_of_row(); k < count; k += step_of_row())
        g[blockIdx.y * count + k] = f[position[k]];
}

/// Pole = blockIdx.y; sums of blocks in a fixed order.
template <typename Real>
__global__ void trace_kernel(std::size_t count, const double* values, const Number<Real>* g,
                             Number<double>* partial) {
    __shared__ Number<double> shared[threads];
    Number<double> sum = {0, 0};
    for (std::size_t k = first_of_row(); k < count; k += step_of_row()) {
        const Number<Real> value = g[blockIdx.y * count + k];
        sum.x += values[k] * static_cast<double>(value.x);
        sum.y += values[k] * static_cast<double>(value.y);
    }
    shared[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            shared[threadIdx.x].x += shared[threadIdx.x + half].x;
            shared[threadIdx.x].y += shared[threadIdx.x + half].y;
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) partial[blockIdx.y * gridDim.x + blockIdx.x] = shared[0];
}

template <typename Real>
__global__ void sum_kernel(std::size_t count, int n_poles, const Number<double>* w, const Number<Real>* g,
                           double* sum) {
    for (std::size_t k = first_of_row(); k < count; k += step_of_row()) {
        double total = sum[k];
        for (int j = 0; j < n_poles; ++j) {
            const Number<Real> value = g[j * count + k];
            total += w[j].x * static_cast<double>(value.x) - w[j].y * static_cast<double>(value.y);
        }
        sum[k] = total;
    }
}

cublasOperation_t op(bool transpose) {
    return transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
}

std::size_t eliminate_bytes(int largest, std::size_t number) {
    return (2 * static_cast<std::size_t>(largest) * width + width * width) * number;
}

dim3 grid(std::size_t count, int n_poles) {
    return dim3(blocks_for(count, threads, 1024), static_cast<unsigned>(n_poles));
}

}  // namespace

template <typename Real>
CudaFronts<Real>::CudaFronts(Streams& streams) : streams_(streams) {
    const std::size_t number = sizeof(Number<Real>);
    check(cudaFuncSetAttribute(eliminate_kernel<Real>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(eliminate_bytes(largest_small, number))),
          "cudaFuncSetAttribute");
    check(cudaFuncSetAttribute(invert_kernel<Real>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>((widest * widest + 2 * widest) * number)),
          "cudaFuncSetAttribute");
}

template <typename Real>
int CudaFronts<Real>::largest_small_front() const {
    return largest_small;
}

template <typename Real>
int CudaFronts<Real>::widest_block() const {
    return widest;
}

template <typename Real>
void CudaFronts<Real>::place(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                             const double* h, const double* s, const std::complex<double>* z,
                             FrontStorage<Real> fronts) {
    const cudaStream_t stream = streams_.current->stream;
    auto* d_z = factors_.at_least<Number<double>>(static_cast<std::size_t>(fronts.n_poles));
    check(cudaMemcpyAsync(d_z, z, static_cast<std::size_t>(fronts.n_poles) * sizeof *z,
                          cudaMemcpyHostToDevice, stream),
          "cudaMemcpyAsync");
    check(cudaMemsetAsync(fronts.values, 0,
                          static_cast<std::size_t>(fronts.stride) * static_cast<std::size_t>(fronts.n_poles) *
                              sizeof(Complex),
                          stream),
          "cudaMemsetAsync");
    place_kernel<Real><<<grid(count, fronts.n_poles), threads, 0, stream>>>(
        count, position, mirror, h, s, d_z, numbers(fronts.values), fronts.stride);
    check_kernel("place_kernel");
}

template <typename Real>
void CudaFronts<Real>::add_children(int count, const ChildLink* links, const int* rows,
                                    FrontStorage<Real> fronts) {
    const dim3 blocks(static_cast<unsigned>(count), 16, static_cast<unsigned>(fronts.n_poles));
    link_kernel<Real><<<blocks, threads, 0, streams_.current->stream>>>(
        true, links, rows, numbers(fronts.values), fronts.stride);
    check_kernel("link_kernel");
}

template <typename Real>
void CudaFronts<Real>::take_from_parents(int count, const ChildLink* links, const int* rows,
                                         FrontStorage<Real> fronts) {
    const dim3 blocks(static_cast<unsigned>(count), 16, static_cast<unsigned>(fronts.n_poles));
    link_kernel<Real><<<blocks, threads, 0, streams_.current->stream>>>(
        false, links, rows, numbers(fronts.values), fronts.stride);
    check_kernel("link_kernel");
}

template <typename Real>
void CudaFronts<Real>::eliminate_small(int count, const FrontShape* shapes, int largest,
                                       FrontStorage<Real> fronts) {
    const dim3 blocks(static_cast<unsigned>(count), static_cast<unsigned>(fronts.n_poles));
    eliminate_kernel<Real>
        <<<blocks, threads, eliminate_bytes(largest, sizeof(Complex)), streams_.current->stream>>>(
            shapes, largest, numbers(fronts.values), fronts.stride);
    check_kernel("eliminate_kernel");
}

template <typename Real>
void CudaFronts<Real>::invert_small(int count, const FrontShape* shapes, int, FrontStorage<Real> fronts) {
    const dim3 blocks(static_cast<unsigned>(count), static_cast<unsigned>(fronts.n_poles));
    invert_small_kernel<Real>
        <<<blocks, threads, 0, streams_.current->stream>>>(shapes, numbers(fronts.values), fronts.stride);
    check_kernel("invert_small_kernel");
}

template <typename Real>
void CudaFronts<Real>::multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha,
                                const Complex* a, int lda, std::int64_t stride_a, const Complex* b, int ldb,
                                std::int64_t stride_b, double beta, Complex* c, int ldc,
                                std::int64_t stride_c, int n_poles) {
    const cublasHandle_t blas = streams_.current->blas;
    if constexpr (std::is_same<Real, double>::value) {
        const cuDoubleComplex x = make_cuDoubleComplex(alpha, 0), y = make_cuDoubleComplex(beta, 0);
        check(cublasZgemmStridedBatched(blas, op(transpose_a), op(transpose_b), m, n, k, &x,
                                        reinterpret_cast<const cuDoubleComplex*>(a), lda, stride_a,
                                        reinterpret_cast<const cuDoubleComplex*>(b), ldb, stride_b, &y,
                                        reinterpret_cast<cuDoubleComplex*>(c), ldc, stride_c, n_poles),
              "cublasZgemmStridedBatched");
    } else {
        const cuComplex x = make_cuComplex(static_cast<float>(alpha), 0),
                        y = make_cuComplex(static_cast<float>(beta), 0);
        check(cublasCgemmStridedBatched(blas, op(transpose_a), op(transpose_b), m, n, k, &x,
                                        reinterpret_cast<const cuComplex*>(a), lda, stride_a,
                                        reinterpret_cast<const cuComplex*>(b), ldb, stride_b, &y,
                                        reinterpret_cast<cuComplex*>(c), ldc, stride_c, n_poles),
              "cublasCgemmStridedBatched");
    }
}

template <typename Real>
void CudaFronts<Real>::invert_blocks(int n, const Complex* a, int lda, std::int64_t stride_a, Complex* out,
                                     int n_poles) {
    const std::size_t bytes = (static_cast<std::size_t>(n) * n + 2 * n) * sizeof(Complex);
    invert_kernel<Real><<<static_cast<unsigned>(n_poles), threads, bytes, streams_.current->stream>>>(
        n, numbers(a), lda, stride_a, numbers(out));
    check_kernel("invert_kernel");
}

template <typename Real>
void CudaFronts<Real>::copy_blocks(bool transpose, int m, int n, double alpha, const Complex* a, int lda,
                                   std::int64_t stride_a, Complex* b, int ldb, std::int64_t stride_b,
                                   int n_poles) {
    const std::size_t size = static_cast<std::size_t>(m) * static_cast<std::size_t>(n);
    copy_kernel<Real><<<grid(size, n_poles), threads, 0, streams_.current->stream>>>(
        transpose, m, n, static_cast<Real>(alpha), numbers(a), lda, stride_a, numbers(b), ldb, stride_b);
    check_kernel("copy_kernel");
}

template <typename Real>
void CudaFronts<Real>::gather(std::size_t count, const std::int64_t* position, FrontStorage<Real> fronts,
                              Complex* g) {
    gather_kernel<Real><<<grid(count, fronts.n_poles), threads, 0, streams_.current->stream>>>(
        count, position, numbers(fronts.values), fronts.stride, numbers(g));
    check_kernel("gather_kernel");
}

template <typename Real>
void CudaFronts<Real>::traces(std::size_t count, int n_poles, const double* values, const Complex* g,
                              std::complex<double>* out) {
    const cudaStream_t stream = streams_.current->stream;
    const std::size_t size = static_cast<std::size_t>(n_poles) * partial_blocks;
    auto* d_partial = partial_.at_least<Number<double>>(size);
    trace_kernel<Real><<<dim3(partial_blocks, static_cast<unsigned>(n_poles)), threads, 0, stream>>>(
        count, values, numbers(g), d_partial);
    check_kernel("trace_kernel");
    std::vector<std::complex<double>> partial(size);
    check(cudaMemcpyAsync(partial.data(), d_partial, size * sizeof(Number<double>), cudaMemcpyDeviceToHost,
                          stream),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    for (int j = 0; j < n_poles; ++j) {
        out[j] = 0;
        for (int k = 0; k < partial_blocks; ++k)
            out[j] += partial[static_cast<std::size_t>(j) * partial_blocks + static_cast<std::size_t>(k)];
    }
}

template <typename Real>
void CudaFronts<Real>::add_weighted_sum(std::size_t count, int n_poles, const std::complex<double>* w,
                                        const Complex* g, double* sum) {
    const cudaStream_t stream = streams_.current->stream;
    auto* d_w = factors_.at_least<Number<double>>(static_cast<std::size_t>(n_poles));
    check(cudaMemcpyAsync(d_w, w, static_cast<std::size_t>(n_poles) * sizeof *w, cudaMemcpyHostToDevice,
                          stream),
          "cudaMemcpyAsync");
    sum_kernel<Real><<<blocks_for(count), threads, 0, stream>>>(count, n_poles, d_w, numbers(g), sum);
    check_kernel("sum_kernel");
}

template class CudaFronts<double>;
template class CudaFronts<float>;

}  // namespace stembridge::tb::cuda

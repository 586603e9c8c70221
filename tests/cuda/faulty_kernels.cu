// SPDX-License-Identifier: Apache-2.0
#include "faulty_kernels.hpp"

namespace stembridge::testing {
namespace {

__global__ void count_kernel(int n, double* x) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) x[i] = i;
}

template <bool WithBarrier>
__global__ void reverse_kernel(const double* x, double* y) {
    __shared__ double kept[block_size];
    kept[threadIdx.x] = x[threadIdx.x];
    if (WithBarrier) __syncthreads();
    y[threadIdx.x] = kept[block_size - 1 - threadIdx.x];
}

__global__ void unset_kernel(double* y) {
    __shared__ double unset[block_size];
    y[threadIdx.x] = unset[threadIdx.x];
    unset[threadIdx.x] = 1;
}

__global__ void vain_kernel(bool elsewhere, double* y) {
    if (threadIdx.x < block_size / 2)
        __syncthreads();
    else if (elsewhere)
        __syncthreads();
    y[threadIdx.x] = 1;
}

__global__ void twice_kernel(const double* x, double* y) {
    y[threadIdx.x] = 2 * x[threadIdx.x];
}

__global__ void started_kernel(double* y) {
    extern __shared__ __align__(16) unsigned char room[];
    reinterpret_cast<double*>(room)[0] = 1;
    y[0] = reinterpret_cast<double*>(room)[0];
}

}  // namespace

void count_up(int n, double* x, cudaStream_t stream) {
    count_kernel<<<static_cast<unsigned>((n + block_size - 1) / block_size), block_size, 0, stream>>>(n, x);
}
void count_too_far(int n, double* x, cudaStream_t stream) {
    count_kernel<<<static_cast<unsigned>((n + block_size - 1) / block_size), block_size, 0, stream>>>(n + 1,
                                                                                                      x);
}
void reverse(bool with_barrier, const double* x, double* y, cudaStream_t stream) {
    if (with_barrier)
        reverse_kernel<true><<<1, block_size, 0, stream>>>(x, y);
    else
        reverse_kernel<false><<<1, block_size, 0, stream>>>(x, y);
}
void read_before_writing(double* y, cudaStream_t stream) {
    unset_kernel<<<2, block_size, 0, stream>>>(y);
}
void wait_in_vain(bool elsewhere, double* y, cudaStream_t stream) {
    vain_kernel<<<1, block_size, 0, stream>>>(elsewhere, y);
}
void twice(const double* x, double* y, cudaStream_t stream) {
    twice_kernel<<<1, block_size, 0, stream>>>(x, y);
}
void start(dim3 grid, dim3 block, std::size_t dynamic_shared, double* y, cudaStream_t stream) {
    started_kernel<<<grid, block, dynamic_shared, stream>>>(y);
}
cudaError_t allow_dynamic_shared(int bytes) {
    return cudaFuncSetAttribute(started_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
}

}  // namespace stembridge::testing

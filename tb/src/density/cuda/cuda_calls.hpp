// SPDX-License-Identifier: Apache-2.0
// Checked calls of CUDA, cuBLAS and cuSOLVER, and the streams that operations are queued on.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cusolverDn.h>

#include <string>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb::cuda {

[[noreturn]] inline void fail(const char* call, const std::string& reason) {
    // CUDA keeps the error until it is asked for; the next check_kernel() would take it for its own.
    cudaGetLastError();
    throw BackendError(std::string(call) + " failed: " + reason);
}
inline void check(cudaError_t status, const char* call) {
    if (status != cudaSuccess)
        fail(call, std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")");
}
inline void check(cublasStatus_t status, const char* call) {
    if (status != CUBLAS_STATUS_SUCCESS) fail(call, cublasGetStatusString(status));
}
inline void check(cusolverStatus_t status, const char* call) {
    if (status != CUSOLVER_STATUS_SUCCESS) fail(call, "cuSOLVER status " + std::to_string(status));
}
/// After the start of a kernel.
inline void check_kernel(const char* kernel) {
    check(cudaGetLastError(), kernel);
}

/// What a call of CUDA opened, closed with the object; about a failure of that nothing can be done.
template <typename Handle, auto close>
class Owned {
  public:
    Owned() = default;
    ~Owned() {
        if (handle_ != nullptr) close(handle_);
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    operator Handle() const { return handle_; }
    /// Where the call that opens puts it.
    Handle* place() { return &handle_; }

  private:
    Handle handle_ = nullptr;
};

/// A stream with the handles that queue on it.
struct Stream {
    Owned<cudaStream_t, cudaStreamDestroy> stream;
    Owned<cudaEvent_t, cudaEventDestroy> event;
    Owned<cublasHandle_t, cublasDestroy> blas;
};

/// The streams of a device; the operations queue on `current`.
struct Streams {
    static constexpr int n_side = 4;
    Stream main, side[n_side];
    Owned<cusolverDnHandle_t, cusolverDnDestroy> solver;  ///< on the main stream
    Owned<cusolverDnParams_t, cusolverDnDestroyParams> solver_parameters;
    const Stream* current = &main;

    Streams();
};

/// Memory of the device that grows when more is wanted.
class Buffer {
  public:
    Buffer() = default;
    ~Buffer() { cudaFree(data_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    template <typename T>
    T* at_least(std::size_t n) {
        if (n * sizeof(T) > bytes_) {
            cudaFree(data_);
            data_ = nullptr;
            bytes_ = 0;
            check(cudaMalloc(&data_, n * sizeof(T)), "cudaMalloc");
            bytes_ = n * sizeof(T);
        }
        return static_cast<T*>(data_);
    }

  private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

/// Blocks of a grid for n values, bounded: kernels step by the whole grid.
inline unsigned blocks_for(std::size_t n, unsigned threads = 256, unsigned most = 4096) {
    const std::size_t blocks = (n + threads - 1) / threads;
    return static_cast<unsigned>(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

}  // namespace stembridge::tb::cuda

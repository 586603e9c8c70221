// SPDX-License-Identifier: Apache-2.0
// The part of the CUDA runtime that tb/ uses, on the processor: see emulator.hpp.
#pragma once

#include <math.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __align__(bytes) alignas(bytes)
#define __syncthreads() ::cuda_emulator::barrier(__FILE__, __LINE__)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned nx = 1, unsigned ny = 1, unsigned nz = 1) : x(nx), y(ny), z(nz) {}
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

inline int min(int a, int b) {
    return a < b ? a : b;
}

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorIllegalAddress = 700,
    cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaDataType { CUDA_R_32F = 0, CUDA_R_64F = 1 };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2;

using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;

struct cudaDeviceProp {
    char name[256];
    std::size_t totalGlobalMem;
    int major, minor, multiProcessorCount;
};

const char* cudaGetErrorString(cudaError_t status);
const char* cudaGetErrorName(cudaError_t status);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
cudaError_t cudaDeviceSynchronize();

cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);

namespace cuda_emulator {

cudaError_t set_dynamic_shared_memory(const void* kernel, int bytes);
/// __syncthreads().
void barrier(const char* file, int line);
/// Memory that the threads of a block share; not initialised in each block.
void* dynamic_shared();
void shared(void* memory, std::size_t bytes);

struct Configuration {
    dim3 grid, block;
    std::size_t dynamic_shared;
    cudaStream_t stream;
};
/// @param threads runs threads as long as there is a next one
void queue_kernel(const char* name, const void* kernel, const Configuration& configuration,
                  const std::vector<const void*>& pointers, std::function<void()> threads);
/// Sets threadIdx to the next thread that nobody has begun. @return whether there was one
bool next_thread();

/// kernel<<<grid, block, dynamic_shared, stream>>>(arguments).
class Launch {
  public:
    Launch(const char* name, dim3 grid, dim3 block, std::size_t dynamic_shared = 0,
           cudaStream_t stream = nullptr)
        : name_(name), configuration_{grid, block, dynamic_shared, stream} {}
    template <typename... Parameters, typename... Arguments>
    void operator()(void (*kernel)(Parameters...), Arguments&&... arguments) const {
        const std::tuple<Parameters...> values(
            static_cast<Parameters>(std::forward<Arguments>(arguments))...);
        std::vector<const void*> pointers;
        const auto note = [&pointers](const auto& value) {
            if constexpr (std::is_pointer_v<std::decay_t<decltype(value)>>) pointers.push_back(value);
        };
        std::apply([&note](const auto&... value) { (note(value), ...); }, values);
        queue_kernel(name_, reinterpret_cast<const void*>(kernel), configuration_, pointers,
                     [kernel, values] {
                         while (next_thread()) std::apply(kernel, values);
                     });
    }

  private:
    const char* name_;
    Configuration configuration_;
};

}  // namespace cuda_emulator

template <typename Kernel>
cudaError_t cudaFuncSetAttribute(Kernel* kernel, cudaFuncAttribute, int value) {
    return cuda_emulator::set_dynamic_shared_memory(reinterpret_cast<const void*>(kernel), value);
}

// SPDX-License-Identifier: Apache-2.0
// CUDA on the processor, so that the tests run the .cu files themselves on machines without a GPU:
// translate.py makes C++ of them, the headers in include/ declare what they call. A block's threads are
// contexts that take turns at barriers; streams are queues. It is made to find faults, not to be fast:
//   - memory of the device can be touched by kernels and calls of CUDA alone, ends at a page that nobody can
//     touch, and is full of NaN at first, as shared memory is in each block;
//   - threads, blocks and streams run in an order that the test chooses; lazy streams do nothing until
//     somebody waits for them, and then no more than that needs;
//   - starts of kernels are held to the limits of compute capability 8.0.
// Not found: warps that rely on their lockstep, races that no order of threads between barriers shows, memory
// that is read by mistake but belongs to the same array.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "include/cuda_runtime.h"

namespace cuda_emulator {

enum class Order { ascending, descending, shuffled };

struct Settings {
    Order order = Order::ascending;  ///< of blocks, of threads between barriers, of streams
    bool lazy = true;
    int n_devices = 1;
    std::size_t memory = std::size_t{1} << 30;  ///< bytes of each device
    std::size_t most_handles = 10000;           ///< open at once; beyond, calls that open one fail
};
Settings& settings();

/// What calls and kernels did wrong since the last call. An error of a kernel, which every call returns from
/// then on, is forgotten.
std::vector<std::string> take_faults();
std::size_t allocated_bytes();
std::size_t open_handles();  ///< streams, events, handles of libraries

// For the emulator itself.

/// Of a block, bytes, compute capability 8.0.
constexpr std::size_t most_shared_memory = 163 * 1024;

/// Notes a fault. @return status
cudaError_t fault(cudaError_t status, const std::string& text);
/// Whether [p, p + bytes) lies in one block of memory of the current device.
bool on_device(const void* p, std::size_t bytes);
/// Puts work in a stream of the current device. @return an error when it is not one
cudaError_t queue(cudaStream_t stream, std::function<void()> work);
int current_device();
/// @return whether one more may be open; then it is counted
bool open_one_handle();
void close_one_handle();

struct Kernel {
    std::string name;
    Configuration configuration;
    std::function<void()> threads;
};
/// Runs all blocks. @return what went wrong, or nothing
std::string run(const Kernel& kernel);

}  // namespace cuda_emulator

// SPDX-License-Identifier: Apache-2.0
// Kernels with the faults that the emulator has to find, and the same without.
#pragma once

#include "cuda_runtime.h"

namespace stembridge::testing {

constexpr int block_size = 64;

/// x_i = i for i < n, by blocks of block_size.
void count_up(int n, double* x, cudaStream_t stream);
/// Also beyond the end.
void count_too_far(int n, double* x, cudaStream_t stream);
/// y = x in reverse, one block. @param with_barrier between writing and reading what the threads share
void reverse(bool with_barrier, const double* x, double* y, cudaStream_t stream);
/// y = what shared memory holds at first.
void read_before_writing(double* y, cudaStream_t stream);
/// Half of the threads wait for the others, which have ended, or which wait elsewhere.
void wait_in_vain(bool elsewhere, double* y, cudaStream_t stream);
/// y = 2 x, block_size each.
void twice(const double* x, double* y, cudaStream_t stream);
/// Starts with grids and memory of any size.
void start(dim3 grid, dim3 block, std::size_t dynamic_shared, double* y, cudaStream_t stream);
/// What start() may use.
cudaError_t allow_dynamic_shared(int bytes);

}  // namespace stembridge::testing

// SPDX-License-Identifier: Apache-2.0
// The GPUs of this machine, and whether they compute what the processor computes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace stembridge::tb {

/// A GPU as its driver describes it.
struct Gpu {
    int index = 0;
    std::string name;
    std::size_t memory = 0, free_memory = 0;         ///< bytes
    int capability_major = 0, capability_minor = 0;  ///< compute capability
    int n_multiprocessors = 0;
    std::string driver, runtime;  ///< versions
};

/// @throw BackendError when the program was built without CUDA, or there is no driver or no GPU; the message
/// names the build option or the call that failed
std::vector<Gpu> list_gpus();

/// One comparison of a device with the processor.
struct DeviceCheck {
    std::string what;
    double difference = 0;  ///< largest, absolute, of numbers of the order of one
    double allowed = 0;
    double seconds = 0, host_seconds = 0;
    std::string error;  ///< of a call that failed; empty = none

    bool passed() const { return error.empty() && difference <= allowed; }
};

/// Runs every kernel and solver of a GPU on small problems and compares it with the processor.
/// @param report gets each comparison when it is done
/// @throw BackendError when the GPU cannot be opened
void test_gpu(int index, const std::function<void(const DeviceCheck&)>& report);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Which GPU a calculator gets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "density/cuda/device.hpp"
#include "density/cuda/gpu.hpp"
#include "stembridge/tb/devices.hpp"

namespace stembridge::tb {

/// The GPUs of this machine; tests have their own.
struct GpuAccess {
    std::function<std::vector<Gpu>()> list = list_gpus;
    std::function<std::unique_ptr<Device>(int)> open = open_gpu;
};

/// Opens a GPU. @param which an index, or "auto": the one in least use by this process, of these the one with
/// most free memory; or "host": the processor in place of a GPU, for tests
/// @throw BackendError naming the call that failed, InputError for text that is neither
std::unique_ptr<Device> choose_gpu(const std::string& which, const GpuAccess& access = {});

/// Index in `gpus` of the one that "auto" takes. @param in_use calculators of this process, per GPU
std::size_t least_used(const std::vector<Gpu>& gpus, const std::vector<int>& in_use);

}  // namespace stembridge::tb

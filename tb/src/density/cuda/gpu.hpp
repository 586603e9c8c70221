// SPDX-License-Identifier: Apache-2.0
// The way to the device layer on CUDA; gpu_absent.cpp stands in where it is not built.
#pragma once

#include <memory>

#include "density/cuda/device.hpp"

namespace stembridge::tb {

/// Whether the build has the CUDA back end.
bool gpus_are_built();
/// @throw BackendError naming the call that failed
std::unique_ptr<Device> open_gpu(int index);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// LibTorch before 2.4: switches of their own for CUDA and the processor.
#include <ATen/autocast_mode.h>

#include "device.hpp"

namespace stembridge::ml {

void use_bfloat16(const torch::Device& device, bool on) {
    if (device.is_cuda()) {
        at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
        at::autocast::set_enabled(on);
    } else {
        at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
        at::autocast::set_cpu_enabled(on);
    }
    if (!on) at::autocast::clear_cache();
}

}  // namespace stembridge::ml

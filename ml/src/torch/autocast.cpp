// SPDX-License-Identifier: Apache-2.0
// LibTorch from 2.4 on: one switch per kind of device.
#include <ATen/autocast_mode.h>

#include "device.hpp"

namespace stembridge::ml {

void use_bfloat16(const torch::Device& device, bool on) {
    at::autocast::set_autocast_dtype(device.type(), at::kBFloat16);
    at::autocast::set_autocast_enabled(device.type(), on);
    if (!on) at::autocast::clear_cache();
}

}  // namespace stembridge::ml

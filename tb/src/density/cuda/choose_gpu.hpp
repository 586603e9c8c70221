// SPDX-License-Identifier: Apache-2.0
// Which GPU a calculator gets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "density/cuda/device.hpp"
#include "stembridge/tb/devices.hpp"

namespace stembridge::tb {

/// Opens a GPU. @param which an index, or "auto": the one in least use by this process, of these the one with
/// most free memory; or "host": the processor in place of a GPU, for tests
/// @throw BackendError naming the call that failed, InputError for text that is neither
std::unique_ptr<Device> choose_gpu(const std::string& which);

/// Index in `gpus` of the one that "auto" takes. @param in_use calculators of this process, per GPU
std::size_t least_used(const std::vector<Gpu>& gpus, const std::vector<int>& in_use);

}  // namespace stembridge::tb

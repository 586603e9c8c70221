// SPDX-License-Identifier: Apache-2.0
// Every operation and every solver of a device against the processor, on small problems.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "density/cuda/device.hpp"
#include "stembridge/tb/devices.hpp"

namespace stembridge::tb {

/// All comparisons, in order. A call that fails is a comparison with an error; those after it still run.
void test_device(Device& device, const std::function<void(const DeviceCheck&)>& report);

/// The operations alone, in a fraction of a second: what makes a device trusted at the start of a run.
/// @throw BackendError naming the operation that differs or failed
void prove(Device& device);

}  // namespace stembridge::tb

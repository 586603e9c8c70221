// SPDX-License-Identifier: Apache-2.0
// The device layer on the processor: what the tests run, and what a device is compared with.
#pragma once

#include <memory>

#include "density/cuda/device.hpp"

namespace stembridge::tb {

/// OpenBLAS, LAPACK and plain loops.
/// @param memory bytes that it pretends to have; allocating more throws BackendError as a device does
std::unique_ptr<Device> make_host_device(std::size_t memory = std::size_t{64} << 30);

}  // namespace stembridge::tb

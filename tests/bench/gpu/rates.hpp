// SPDX-License-Identifier: Apache-2.0
// What a device reaches in what it does best, and in the operations that the solvers are made of.
#pragma once

#include <string>
#include <vector>

#include "density/cuda/device.hpp"

namespace stembridge::bench {

/// The rate of an operation on large operands.
struct Rate {
    std::string operation, unit;  ///< unit: "TFLOP/s" or "GB/s"
    double value = 0;
    std::string ceiling;  ///< the operation that it is compared with; its own name when it is one itself
    double share = 1;     ///< of the ceiling
};

constexpr const char* product_double = "product, double";

/// @param seconds that all of it may take, about; operands are as large as that allows
std::vector<Rate> measure_rates(tb::Device& device, double seconds);

}  // namespace stembridge::bench

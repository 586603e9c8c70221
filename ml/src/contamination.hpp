// SPDX-License-Identifier: Apache-2.0
// Amorphous material on the simulated sheet.
#pragma once

#include "stembridge/base/random.hpp"
#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::ml {

/// Brightness of the contamination in units of the mean of graphene, (height, width) of the scan.
Pixels contamination_map(const SimulationOptions& options, Random& random);

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Trained networks applied to frames of any size.
#pragma once

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

std::unique_ptr<SegmentationNetwork> open_members(const std::vector<State>& members,
                                                  const InferenceOptions& options);

}  // namespace stembridge::ml

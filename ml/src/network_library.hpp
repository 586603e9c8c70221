// SPDX-License-Identifier: Apache-2.0
// The door between ml/ and the library with LibTorch, which is opened at run time.
#pragma once

#include "stembridge/ml/network.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

/// What the library offers. Both sides are built from the same source tree; version guards against mixtures.
struct NetworkLibrary {
    int version;
    std::unique_ptr<SegmentationNetwork> (*open)(const std::vector<State>& members,
                                                 const InferenceOptions& options);
    State (*train)(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
                   const TrainingStart& start);
};

inline constexpr int network_library_version = 2;
inline constexpr const char* network_library_symbol = "stembridge_network_library";
inline constexpr const char* network_library_file = "libstembridge_torch.so";

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// The training loop.
#pragma once

#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

State train(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
            const TrainingStart& start);

}  // namespace stembridge::ml

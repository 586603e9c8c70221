// SPDX-License-Identifier: Apache-2.0
// What a training configuration says.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "stembridge/io/config.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::app {

/// How many networks are trained, and how they come to differ.
enum class EnsembleKind { none, scratch, baseline, swag };

struct EnsembleOptions {
    EnsembleKind kind = EnsembleKind::none;
    int members = 5;
    int steps = 300;  ///< of each continuation from the baseline
    double learning_rate = 1e-3;
};

/// Options of one network, or of the baseline. @throw InputError (key named)
ml::TrainingOptions training_options(const io::Config& config);
EnsembleOptions ensemble_options(const io::Config& config);
/// Options of a member that goes on from the baseline.
ml::TrainingOptions continuation_options(const io::Config& config);
/// Weights to begin with: those that train.start names, or an empty state.
State start_weights(const io::Config& config);

/// A file of weights with convolutions rounded to 16-bit floats, half as large. Batch norms keep 32 bits.
State rounded_to_half(const State& weights);

}  // namespace stembridge::app

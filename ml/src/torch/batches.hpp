// SPDX-License-Identifier: Apache-2.0
// What a network is trained on, batch after batch.
#pragma once

#include <torch/torch.h>

#include <map>

#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

struct Batch {
    torch::Tensor images;   ///< (batch, 1, crop, crop)
    torch::Tensor targets;  ///< (batch, classes, crop, crop), probabilities
    torch::Tensor weights;  ///< (batch, 1, crop, crop), 0 where the truth is not known
};

Batch batch_of(const TrainingOptions& options, const std::vector<TrainingCrop>& crops,
               const torch::Device& device);

/// Crops by number. Every number stands for one crop, so a resumed training meets the same ones.
class CropSource {
  public:
    CropSource(const TrainingOptions& options, std::uint64_t seed, const std::vector<LabelledFrame>& frames);

    /// The crops of a step.
    std::vector<TrainingCrop> of_step(std::int64_t step);
    /// Crops of numbers that no step has, as they are.
    std::vector<TrainingCrop> validation();

  private:
    TrainingCrop crop(std::uint64_t index);
    const TrainingCrop& simulated(std::uint64_t index);

    const TrainingOptions& options_;
    std::uint64_t seed_;
    const std::vector<LabelledFrame>& frames_;
    std::map<std::uint64_t, TrainingCrop> kept_;  ///< those that are met again
    TrainingCrop fresh_;
};

}  // namespace stembridge::ml

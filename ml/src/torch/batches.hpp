// SPDX-License-Identifier: Apache-2.0
// What a network is trained on, batch after batch.
#pragma once

#include <torch/torch.h>

#include <map>
#include <mutex>

#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

struct Batch {
    torch::Tensor images;   ///< (batch, 1, crop, crop)
    torch::Tensor targets;  ///< (batch, classes, crop, crop), probabilities
    torch::Tensor weights;  ///< (batch, 1, crop, crop), 0 where the truth is not known
};

Batch batch_of(const TrainingOptions& options, const std::vector<TrainingCrop>& crops,
               const torch::Device& device);

/// Crops by number. Every number stands for one crop, so a resumed training meets the same ones, made by
/// however many threads.
class CropSource {
  public:
    CropSource(const TrainingOptions& options, std::uint64_t seed, const std::vector<LabelledFrame>& frames);

    /// The crops of a step.
    std::vector<TrainingCrop> of_step(std::int64_t step);
    /// Crops of numbers that no step has, as they are.
    std::vector<TrainingCrop> validation();

  private:
    TrainingCrop crop(std::uint64_t index);
    /// A crop that is met again.
    const TrainingCrop& kept(std::uint64_t number);

    const TrainingOptions& options_;
    std::uint64_t seed_;
    const std::vector<LabelledFrame>& frames_;
    std::map<std::uint64_t, TrainingCrop> kept_;
    std::mutex keeping_;
};

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// How good a network is on crops it was not trained on.
#pragma once

#include "batches.hpp"
#include "unet.hpp"

namespace stembridge::ml {

torch::Tensor logits_of(UNet& network, const torch::Tensor& images, bool bfloat16);

/// Running statistics of the batch norms for new weights: the plain mean over the crops of some steps.
void recompute_batch_norms(UNet& network, const TrainingOptions& options, CropSource& source,
                           const torch::Device& device);

/// Scores of a network; blobs and atoms within 0.6 angstrom of the border count neither way.
ValidationScores validate(UNet& network, const TrainingOptions& options,
                          const std::vector<TrainingCrop>& crops, const torch::Device& device);

}  // namespace stembridge::ml

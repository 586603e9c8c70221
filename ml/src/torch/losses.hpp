// SPDX-License-Identifier: Apache-2.0
// Losses against class masks t with weights w of the pixels; p = softmax of the logits.
#pragma once

#include <torch/torch.h>

#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

/// L = - sum w sum_c t_c log p_c / sum w.
inline torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets,
                                   const torch::Tensor& weights) {
    const torch::Tensor per_pixel = -(targets * torch::log_softmax(logits, 1)).sum(1, true);
    return (per_pixel * weights).sum() / weights.sum().clamp_min(1);
}

/// L = 1 - mean over the classes of 2 sum w p t / (sum w p + sum w t).
/// @source Milletari, Navab, Ahmadi, arXiv:1606.04797
inline torch::Tensor dice_loss(const torch::Tensor& logits, const torch::Tensor& targets,
                               const torch::Tensor& weights) {
    const torch::Tensor p = torch::softmax(logits, 1) * weights, t = targets * weights;
    constexpr double smallest = 1.0;  // pixels: classes that are absent do not divide by zero
    const torch::Tensor overlap = 2 * (p * targets).sum({0, 2, 3}), all = (p + t).sum({0, 2, 3});
    return 1 - ((overlap + smallest) / (all + smallest)).mean();
}

/// L = - sum w sum_c t_c (1 - p_c)^2 log p_c / sum w.
/// @source Lin et al., arXiv:1708.02002
inline torch::Tensor focal_loss(const torch::Tensor& logits, const torch::Tensor& targets,
                                const torch::Tensor& weights) {
    const torch::Tensor log_p = torch::log_softmax(logits, 1);
    const torch::Tensor per_pixel = -(targets * (1 - log_p.exp()).square() * log_p).sum(1, true);
    return (per_pixel * weights).sum() / weights.sum().clamp_min(1);
}

inline torch::Tensor loss_of(Loss loss, const torch::Tensor& logits, const torch::Tensor& targets,
                             const torch::Tensor& weights) {
    switch (loss) {
        case Loss::dice:
            return dice_loss(logits, targets, weights);
        case Loss::focal:
            return focal_loss(logits, targets, weights);
        case Loss::cross_entropy:
            break;
    }
    return cross_entropy(logits, targets, weights);
}

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Adam with decoupled weight decay, and the schedules of its rate.
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

/// @source Kingma, Ba, arXiv:1412.6980; Loshchilov, Hutter, arXiv:1711.05101
class Adam {
  public:
    explicit Adam(std::vector<torch::Tensor> parameters) : parameters_(std::move(parameters)) {
        for (const torch::Tensor& p : parameters_) {
            first_.push_back(torch::zeros_like(p));
            second_.push_back(torch::zeros_like(p));
        }
    }
    void zero_gradients() {
        for (auto& p : parameters_) p.mutable_grad().reset();
    }
    /// @param t number of this step, from 1
    void step(int t, double rate, double decay) {
        const torch::NoGradGuard no_gradients;
        constexpr double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8, largest_gradient = 1.0;
        // The norm stays on the device, so that nobody waits for it.
        std::vector<torch::Tensor> squares;
        for (const torch::Tensor& p : parameters_) squares.push_back(p.grad().square().sum());
        const torch::Tensor norm = torch::stack(squares).to(torch::kFloat64).sum().sqrt();
        const torch::Tensor shrink = (largest_gradient / (norm + 1e-12)).clamp_max(1.0);
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            const torch::Tensor g = parameters_[i].grad() * shrink;
            // m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2
            first_[i].mul_(beta1).add_(g, 1 - beta1);
            second_[i].mul_(beta2).addcmul_(g, g, 1 - beta2);
            // p <- p - rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay p)
            const torch::Tensor root = (second_[i] / (1 - std::pow(beta2, t))).sqrt_().add_(epsilon);
            if (parameters_[i].dim() > 1) parameters_[i].mul_(1 - rate * decay);
            parameters_[i].addcdiv_(first_[i], root, -rate / (1 - std::pow(beta1, t)));
        }
    }
    std::vector<torch::Tensor>& parameters() { return parameters_; }
    std::vector<torch::Tensor>& first() { return first_; }
    std::vector<torch::Tensor>& second() { return second_; }

  private:
    std::vector<torch::Tensor> parameters_, first_, second_;
};

/// Rate of a step, counted from 0: rise over the first tenth (one-cycle), cosine fall, and flat once half of
/// the averaging is done. With SWAG it stays at a quarter while weights are averaged, so that they wander.
inline double learning_rate(const TrainingOptions& o, int step) {
    if (o.schedule == Schedule::constant) return o.learning_rate;
    const bool swag = o.swag_rank > 0;
    const double rise = o.schedule == Schedule::one_cycle ? std::max(1.0, 0.1 * o.steps) : 0.0;
    if (step < rise) return o.learning_rate * (0.05 + 0.95 * step / rise);
    const double end = (1 - (swag ? 1.0 : 0.5) * o.averaging_share) * o.steps;
    const double progress = std::min(1.0, (step - rise) / std::max(1.0, end - rise));
    const double floor = swag ? 0.25 : 0.02;
    return o.learning_rate * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}

}  // namespace stembridge::ml

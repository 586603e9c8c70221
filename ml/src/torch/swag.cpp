// SPDX-License-Identifier: Apache-2.0
#include "swag.hpp"

#include <cmath>

#include "weights.hpp"

namespace stembridge::ml {
namespace {

std::vector<at::Tensor> zeros_like(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> zeros;
    for (const at::Tensor& t : tensors) zeros.push_back(at::zeros_like(t));
    return zeros;
}

at::Tensor normal_like(const at::Tensor& tensor, Random& random) {
    std::vector<float> numbers(static_cast<std::size_t>(tensor.numel()));
    for (float& number : numbers) number = static_cast<float>(random.normal());
    return at::from_blob(numbers.data(), tensor.sizes(), at::kFloat).clone().to(tensor.device());
}

}  // namespace

WeightAverage::WeightAverage(const std::vector<at::Tensor>& like, int rank)
    : rank_(rank), mean_(zeros_like(like)) {
    if (rank_ > 0) square_ = zeros_like(like);
}

void WeightAverage::add(const std::vector<at::Tensor>& weights) {
    const at::NoGradGuard no_gradients;
    ++count_;
    const double share = 1.0 / static_cast<double>(count_);
    for (std::size_t i = 0; i < mean_.size(); ++i) {
        mean_[i].add_(weights[i] - mean_[i], share);
        if (rank_ > 0) square_[i].add_(weights[i].square() - square_[i], share);
    }
    if (rank_ == 0) return;
    deviations_.emplace_back();
    for (std::size_t i = 0; i < mean_.size(); ++i)
        deviations_.back().push_back((weights[i] - mean_[i]).detach().clone());
    if (deviations_.size() > static_cast<std::size_t>(rank_)) deviations_.pop_front();
}

std::vector<at::Tensor> WeightAverage::draw(Random& random) const {
    const at::NoGradGuard no_gradients;
    std::vector<double> z(deviations_.size());
    for (double& number : z) number = random.normal();
    const double low_rank = 1 / std::sqrt(2.0 * std::max<double>(1, static_cast<double>(z.size()) - 1));
    std::vector<at::Tensor> drawn;
    for (std::size_t i = 0; i < mean_.size(); ++i) {
        const at::Tensor deviation = (square_[i] - mean_[i].square()).clamp_min(0).sqrt();
        at::Tensor theta = mean_[i] + std::sqrt(0.5) * deviation * normal_like(mean_[i], random);
        for (std::size_t k = 0; k < z.size(); ++k) theta.add_(deviations_[k][i], low_rank * z[k]);
        drawn.push_back(theta);
    }
    return drawn;
}

void WeightAverage::save(State& state) const {
    state.put("averaged", count_);
    put_tensors(state, "average", mean_);
    if (rank_ == 0) return;
    put_tensors(state, "average_of_squares", square_);
    state.put("deviations", static_cast<std::int64_t>(deviations_.size()));
    for (std::size_t k = 0; k < deviations_.size(); ++k)
        put_tensors(state, "deviation" + std::to_string(k), deviations_[k]);
}

void WeightAverage::restore(const State& state) {
    count_ = state.integer("averaged");
    get_tensors(state, "average", mean_);
    if (rank_ == 0) return;
    get_tensors(state, "average_of_squares", square_);
    deviations_.clear();
    for (std::int64_t k = 0; k < state.integer("deviations"); ++k) {
        deviations_.push_back(zeros_like(mean_));
        get_tensors(state, "deviation" + std::to_string(k), deviations_.back());
    }
}

}  // namespace stembridge::ml

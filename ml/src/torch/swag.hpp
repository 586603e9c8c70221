// SPDX-License-Identifier: Apache-2.0
// Averages of weights along the end of a training, and networks drawn around them.
#pragma once

#include <ATen/ATen.h>

#include <deque>
#include <vector>

#include "stembridge/base/random.hpp"
#include "stembridge/base/state.hpp"

namespace stembridge::ml {

/// Mean of the weights; with a rank also their covariance, diagonal plus low rank.
/// @source Izmailov et al., arXiv:1803.05407; Maddox et al., arXiv:1902.02476
class WeightAverage {
  public:
    /// @param rank deviations that are kept; 0 = the mean alone
    WeightAverage(const std::vector<at::Tensor>& like, int rank);

    void add(const std::vector<at::Tensor>& weights);
    bool empty() const { return count_ == 0; }
    const std::vector<at::Tensor>& mean() const { return mean_; }
    /// theta = mean + sqrt(diagonal / 2) z1 + D z2 / sqrt(2 (K - 1)), z1 and z2 standard normal.
    std::vector<at::Tensor> draw(Random& random) const;

    void save(State& state) const;
    void restore(const State& state);

  private:
    int rank_;
    std::int64_t count_ = 0;
    std::vector<at::Tensor> mean_, square_;
    std::deque<std::vector<at::Tensor>> deviations_;
};

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Anderson's acceleration of a fixed-point iteration.
#pragma once

#include <Eigen/Dense>
#include <deque>

namespace stembridge::dft {

/// Next input of x -> x + F(x) from the inputs and residuals so far.
/// @source Anderson, J. ACM 12, 547 (1965)
class Anderson {
  public:
    /// @param step share of the residual that is added  @param weights metric of the residuals
    Anderson(double step, std::size_t history, Eigen::VectorXd weights)
        : step_(step), history_(history), weights_(std::move(weights)) {}

    Eigen::VectorXd next(const Eigen::VectorXd& x, const Eigen::VectorXd& residual) {
        const auto n = static_cast<Eigen::Index>(inputs_.size());
        // Minimise | F - sum_k theta_k (F - F_k) |^2 over theta.
        Eigen::MatrixXd gram(n, n);
        Eigen::VectorXd right(n), theta;
        for (Eigen::Index i = 0; i < n; ++i) {
            const Eigen::VectorXd di =
                weights_.cwiseProduct(residual - residuals_[static_cast<std::size_t>(i)]);
            right(i) = di.dot(residual);
            for (Eigen::Index j = 0; j <= i; ++j)
                gram(i, j) = gram(j, i) = di.dot(residual - residuals_[static_cast<std::size_t>(j)]);
        }
        Eigen::VectorXd mixed = x + step_ * residual;
        if (n > 0) {
            const Eigen::VectorXd scale = gram.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
            gram = scale.asDiagonal() * gram * scale.asDiagonal();
            gram.diagonal().array() += 1e-12;
            theta = scale.cwiseProduct(gram.ldlt().solve(scale.cwiseProduct(right)));
            for (Eigen::Index k = 0; k < n; ++k) {
                const auto at = static_cast<std::size_t>(k);
                mixed -= theta(k) * ((x - inputs_[at]) + step_ * (residual - residuals_[at]));
            }
        }
        inputs_.push_front(x);
        residuals_.push_front(residual);
        if (inputs_.size() > history_) {
            inputs_.pop_back();
            residuals_.pop_back();
        }
        return mixed;
    }

  private:
    double step_;
    std::size_t history_;
    Eigen::VectorXd weights_;
    std::deque<Eigen::VectorXd> inputs_, residuals_;
};

}  // namespace stembridge::dft

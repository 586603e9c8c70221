// SPDX-License-Identifier: Apache-2.0
#include "lbfgs.hpp"

#include <algorithm>
#include <cmath>

namespace stembridge::md {
namespace {

constexpr double armijo = 1e-4;
constexpr int rejections_until_reset = 3;
constexpr int rejections_until_end = 10;
// How far an atom may move before the preconditioner is made anew, bohr.
constexpr double preconditioner_range = 0.2;
// Without a preconditioner: inverse stiffness of the first step, bohr^2/hartree.
constexpr double plain_inverse_hessian = 1.0;
// Pairs with less curvature than this along the step are left out, hartree/bohr^2. The longest waves out of a
// sheet of 90 angstrom have 1e-6; without their pairs no valley is ever followed.
constexpr double smallest_curvature = 1e-7;
// How much further the next step goes along a line on which the energy curves down.
constexpr double expansion = 2;

}  // namespace

Lbfgs::Lbfgs(const FreeCoordinates& free, double max_step_length, int memory, bool precondition,
             double energy_noise)
    : free_(free),
      max_step_length_(max_step_length),
      memory_(memory),
      precondition_(precondition),
      energy_noise_(energy_noise) {}

void Lbfgs::update_preconditioner(const Structure& structure) {
    const bool outdated = built_at_.cols() == 0 ||
                          std::sqrt((structure.positions - built_at_).colwise().squaredNorm().maxCoeff()) >
                              preconditioner_range;
    if (outdated) {
        built_at_ = structure.positions;
        built_in_ = structure.cell.vectors;
    }
    if (!outdated && preconditioner_) return;
    Structure there = structure;
    there.positions = built_at_;
    there.cell.vectors = built_in_;
    preconditioner_.emplace(there, free_);
}

Eigen::VectorXd Lbfgs::downhill(const Structure& structure, const Eigen::VectorXd& gradient) {
    if (precondition_) update_preconditioner(structure);
    const auto inverse_hessian = [&](const Eigen::VectorXd& v) -> Eigen::VectorXd {
        return precondition_ ? preconditioner_->solve(v) : plain_inverse_hessian * v;
    };
    // The two-loop recursion: p = -H g with H from H0 = gamma P^-1 and the pairs (s, y).
    const auto m = static_cast<Eigen::Index>(pairs_.size());
    Eigen::VectorXd alpha(m), q = gradient;
    for (Eigen::Index k = m - 1; k >= 0; --k) {
        const auto& [s, y] = pairs_[static_cast<std::size_t>(k)];
        alpha(k) = s.dot(q) / s.dot(y);
        q -= alpha(k) * y;
    }
    q = inverse_hessian(q);
    if (m > 0) {
        // gamma = s.y / y.P^-1 y: the measured stiffness over that of the preconditioner.
        const auto& [s, y] = pairs_.back();
        q *= s.dot(y) / y.dot(inverse_hessian(y));
    }
    for (Eigen::Index k = 0; k < m; ++k) {
        const auto& [s, y] = pairs_[static_cast<std::size_t>(k)];
        q += (alpha(k) - y.dot(q) / s.dot(y)) * s;
    }
    return -q;
}

Eigen::VectorXd Lbfgs::propose(const Structure& structure, const Eigen::VectorXd& gradient) {
    if (direction_.size() == 0) {
        direction_ = each_capped(free_, downhill(structure, gradient), gradient, max_step_length_);
        fraction_ = 1;
    }
    return fraction_ * direction_;
}

Verdict Lbfgs::judge(const Eigen::VectorXd& gradient, const Eigen::VectorXd& new_gradient,
                     double energy_change, double energy_error) {
    const double slope = gradient.dot(direction_);  // phi'(0) < 0
    const double new_slope = new_gradient.dot(direction_);
    const bool energy_says_yes = energy_change <= armijo * fraction_ * slope;
    // Where energies differ by noise only: phi'(t) <= (2 c - 1) phi'(0).
    const bool only_noise = std::abs(energy_change) <= energy_noise_ + energy_error;
    const bool gradient_says_yes = new_slope <= (2 * armijo - 1) * slope;
    if (only_noise ? gradient_says_yes : energy_says_yes) {
        Pair pair{fraction_ * direction_, new_gradient - gradient};
        direction_.resize(0);
        if (pair.s.dot(pair.y) > smallest_curvature * pair.s.squaredNorm()) {
            pairs_.push_back(std::move(pair));
            if (static_cast<int>(pairs_.size()) > memory_) pairs_.pop_front();
        } else if (new_slope < 0) {
            direction_ = capped(free_, expansion * pair.s, max_step_length_);
            fraction_ = 1;
        }
        rejections_ = 0;
        return Verdict::accept;
    }

    if (++rejections_ >= rejections_until_end) return Verdict::give_up;
    if (rejections_ == rejections_until_reset && !pairs_.empty()) {
        pairs_.clear();
        direction_.resize(0);
        return Verdict::retry;
    }
    // Minimum of the parabola through what is known: phi'(0) and phi'(t), or phi(0), phi'(0) and phi(t).
    const double t = fraction_;
    const double lowest =
        only_noise ? t * slope / (slope - new_slope) : -slope * t * t / (2 * (energy_change - slope * t));
    fraction_ = std::clamp(lowest, 0.1 * t, 0.5 * t);
    return Verdict::retry;
}

State Lbfgs::save() const {
    const auto m = static_cast<Eigen::Index>(pairs_.size());
    Eigen::MatrixXd s(free_.size(), m), y(free_.size(), m);
    for (Eigen::Index k = 0; k < m; ++k) {
        s.col(k) = pairs_[static_cast<std::size_t>(k)].s;
        y.col(k) = pairs_[static_cast<std::size_t>(k)].y;
    }
    State state;
    state.put("s", s);
    state.put("y", y);
    state.put("direction", direction_);
    state.put("preconditioner_positions", built_at_);
    if (built_at_.cols() > 0) state.put("preconditioner_cell", built_in_);
    state.put("fraction", fraction_);
    state.put("rejections", std::int64_t{rejections_});
    return state;
}

void Lbfgs::restore(const State& state) {
    const Eigen::MatrixXd s = state.matrix("s", free_.size()), y = state.matrix("y", free_.size());
    const Eigen::MatrixXd direction = state.matrix("direction", free_.size());
    const Eigen::MatrixXd built_at = state.matrix("preconditioner_positions", 3);
    if (s.cols() != y.cols() || direction.cols() > 1)
        throw FileError("the memory of L-BFGS in the checkpoint has the wrong size");
    pairs_.clear();
    for (Eigen::Index k = 0; k < s.cols(); ++k) pairs_.push_back({s.col(k), y.col(k)});
    if (direction.cols() == 1)
        direction_ = direction.col(0);
    else
        direction_.resize(0);
    built_at_ = built_at;
    if (built_at_.cols() > 0) built_in_ = state.matrix("preconditioner_cell", 3);
    preconditioner_.reset();
    fraction_ = state.number("fraction");
    rejections_ = static_cast<int>(state.integer("rejections"));
}

}  // namespace stembridge::md

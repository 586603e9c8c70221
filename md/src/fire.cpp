// SPDX-License-Identifier: Apache-2.0
#include "fire.hpp"

#include <algorithm>
#include <cmath>

#include "bond_preconditioner.hpp"

namespace stembridge::md {
namespace {

// With the stiffness of each coordinate as its mass, no mode of the springs of BondPreconditioner has an
// omega above sqrt(2), and steps up to 2 / omega = 1.4 are stable.
constexpr double first_timestep = 0.8;
constexpr double largest_timestep = 1.1;
constexpr double smallest_timestep = 0.01;
constexpr double first_mixing = 0.1;
constexpr double mixing_decay = 0.99;
constexpr double timestep_growth = 1.1;
constexpr double timestep_shrink = 0.5;
constexpr int latency = 5;

}  // namespace

Fire::Fire(const FreeCoordinates& free, double max_step_length)
    : free_(free),
      max_step_length_(max_step_length),
      now_{Eigen::VectorXd::Zero(free.size()), Eigen::VectorXd(), first_timestep, first_mixing},
      next_(now_) {}

Eigen::VectorXd Fire::propose(const Structure& structure, const Eigen::VectorXd& gradient) {
    const Eigen::VectorXd force = -gradient;
    next_ = now_;
    Eigen::VectorXd back = Eigen::VectorXd::Zero(force.size());
    if (force.dot(now_.velocity) > 0) {  // downhill: P = F . v > 0
        if (++next_.downhill_steps > latency) {
            next_.timestep = std::min(next_.timestep * timestep_growth, largest_timestep);
            next_.mixing *= mixing_decay;
        }
    } else {  // uphill: half a step back, stop, go on with shorter steps and fresh masses
        if (!now_.velocity.isZero(0)) {
            back = -0.5 * now_.timestep * now_.velocity;
            next_.timestep = std::max(next_.timestep * timestep_shrink, smallest_timestep);
        }
        next_.velocity.setZero();
        next_.mass = BondPreconditioner::diagonal(structure, free_);
        next_.downhill_steps = 0;
        next_.mixing = first_mixing;
    }
    // v <- v + dt F / m
    const Eigen::VectorXd acceleration = force.cwiseQuotient(next_.mass);
    next_.velocity += next_.timestep * acceleration;
    // v <- (1 - c) v + c |v| a / |a|, |u|^2 = sum m u^2
    if (const double norm = std::sqrt(force.dot(acceleration)); norm > 0) {
        const double speed = std::sqrt(next_.velocity.cwiseAbs2().dot(next_.mass));
        next_.velocity = (1 - next_.mixing) * next_.velocity + next_.mixing * speed / norm * acceleration;
    }
    // x <- x + dt v
    next_.velocity = capped(free_, next_.timestep * next_.velocity, max_step_length_) / next_.timestep;
    return capped(free_, back + next_.timestep * next_.velocity, max_step_length_);
}

Verdict Fire::judge(const Eigen::VectorXd&, const Eigen::VectorXd&, double, double) {
    now_ = next_;
    return Verdict::accept;
}

State Fire::save() const {
    State state;
    state.put("velocity", now_.velocity);
    state.put("mass", now_.mass);
    state.put("timestep", now_.timestep);
    state.put("mixing", now_.mixing);
    state.put("downhill_steps", std::int64_t{now_.downhill_steps});
    return state;
}

void Fire::restore(const State& state) {
    const Eigen::MatrixXd mass = state.matrix("mass", free_.size());
    now_.velocity = state.matrix("velocity", free_.size());
    now_.mass = mass.reshaped();  // empty before the first step
    now_.timestep = state.number("timestep");
    now_.mixing = state.number("mixing");
    now_.downhill_steps = static_cast<int>(state.integer("downhill_steps"));
}

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
#include "fire.hpp"

#include <algorithm>

namespace stembridge::md {
namespace {

// Unit masses. A carbon-carbon bond (0.46 hartree/bohr^2, three at each atom) then vibrates with omega = 1.2,
// and the largest stable step is 2 / omega = 1.7; stiffer spots are found out by the step turning uphill.
constexpr double first_timestep = 0.3;
constexpr double largest_timestep = 1.5;
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
      now_{Eigen::VectorXd::Zero(free.size()), first_timestep, first_mixing},
      next_(now_) {}

Eigen::VectorXd Fire::propose(const Structure&, const Eigen::VectorXd& gradient) {
    const Eigen::VectorXd force = -gradient;
    next_ = now_;
    Eigen::VectorXd back = Eigen::VectorXd::Zero(force.size());
    if (force.dot(now_.velocity) > 0) {  // downhill: P = F . v > 0
        if (++next_.downhill_steps > latency) {
            next_.timestep = std::min(next_.timestep * timestep_growth, largest_timestep);
            next_.mixing *= mixing_decay;
        }
    } else if (!now_.velocity.isZero(0)) {  // uphill: half a step back, stop, go on with shorter steps
        back = -0.5 * now_.timestep * now_.velocity;
        next_.velocity.setZero();
        next_.downhill_steps = 0;
        next_.timestep = std::max(next_.timestep * timestep_shrink, smallest_timestep);
        next_.mixing = first_mixing;
    }
    // v <- v + dt F
    next_.velocity += next_.timestep * force;
    // v <- (1 - a) v + a |v| F / |F|
    if (const double norm = force.norm(); norm > 0)
        next_.velocity =
            (1 - next_.mixing) * next_.velocity + next_.mixing * next_.velocity.norm() / norm * force;
    // x <- x + dt v
    next_.velocity = capped(free_, next_.timestep * next_.velocity, max_step_length_) / next_.timestep;
    return capped(free_, back + next_.timestep * next_.velocity, max_step_length_);
}

Verdict Fire::judge(const Eigen::VectorXd&, const Eigen::VectorXd&, double) {
    now_ = next_;
    return Verdict::accept;
}

State Fire::save() const {
    State state;
    state.put("velocity", now_.velocity);
    state.put("timestep", now_.timestep);
    state.put("mixing", now_.mixing);
    state.put("downhill_steps", std::int64_t{now_.downhill_steps});
    return state;
}

void Fire::restore(const State& state) {
    now_.velocity = state.matrix("velocity", free_.size());
    now_.timestep = state.number("timestep");
    now_.mixing = state.number("mixing");
    now_.downhill_steps = static_cast<int>(state.integer("downhill_steps"));
}

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// What a long stage tells about itself: when to write a checkpoint, and how long it will take.
#pragma once

#include <string>
#include <vector>

#include "stembridge/base/timer.hpp"
#include "stembridge/io/config.hpp"

namespace stembridge::app {

/// "40 s", "12 min", "3.5 h"; one or two significant digits, for estimates.
std::string rough_duration(double seconds);

/// When the next checkpoint is due: after so many steps or so much time, whichever comes first.
class CheckpointClock {
  public:
    /// @param steps between checkpoints; run.checkpoint_interval is the time
    CheckpointClock(const io::Config& config, std::int64_t steps);
    /// Counts a step. @return whether a checkpoint is due; the count then begins again
    bool due_after_step();

  private:
    std::int64_t steps_;
    double seconds_;
    std::int64_t since_ = 0;
    Timer timer_;
};

/// Seconds until a force that falls like an exponential reaches its target, from the last steps; nothing
/// known = negative.
/// @param forces of the steps so far  @param seconds_per_step
double seconds_until(const std::vector<double>& forces, double target, double seconds_per_step);

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
#include "pace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/units.hpp"

namespace stembridge::app {

std::string rough_duration(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", std::max(1.0, seconds));
    if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

CheckpointClock::CheckpointClock(const io::Config& config, std::int64_t steps)
    : steps_(steps), seconds_(config.quantity("run.checkpoint_interval") / units::second) {}

bool CheckpointClock::due_after_step() {
    if (++since_ < steps_ && timer_.seconds() < seconds_) return false;
    since_ = 0;
    timer_.restart();
    return true;
}

double seconds_until(const std::vector<double>& forces, double target, double seconds_per_step) {
    constexpr std::size_t wanted = 40, least = 8;
    if (forces.size() < least) return -1;
    const std::size_t n = std::min(wanted, forces.size());
    // Least squares of log force = a + b k over the last n steps.
    double sum_k = 0, sum_y = 0, sum_kk = 0, sum_ky = 0;
    for (std::size_t k = 0; k < n; ++k) {
        const double x = static_cast<double>(k), y = std::log(forces[forces.size() - n + k]);
        sum_k += x;
        sum_y += y;
        sum_kk += x * x;
        sum_ky += x * y;
    }
    const auto m = static_cast<double>(n);
    const double slope = (m * sum_ky - sum_k * sum_y) / (m * sum_kk - sum_k * sum_k);
    const double now = (sum_y - slope * sum_k) / m + slope * (m - 1);
    if (!(slope < 0) || !std::isfinite(now)) return -1;
    return std::max(1.0, (std::log(target) - now) / slope) * seconds_per_step;
}

}  // namespace stembridge::app

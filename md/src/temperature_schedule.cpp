// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/temperature_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::md {
namespace {

bool colder(const TemperaturePoint& a, const TemperaturePoint& b) {
    return a.kT < b.kT;
}

}  // namespace

TemperatureSchedule::TemperatureSchedule(std::vector<TemperaturePoint> points) : points_(std::move(points)) {
    if (points_.empty()) throw InputError("a schedule of temperatures needs at least one point");
    for (std::size_t k = 0; k < points_.size(); ++k) {
        const auto& [time, kT] = points_[k];
        if (!(kT >= 0) || !std::isfinite(kT))
            throw InputError(fmt::format("temperature {} of the schedule is {} K: it must not be negative",
                                         k + 1, kT / units::kelvin));
        if (!std::isfinite(time) || (k > 0 && time <= points_[k - 1].time))
            throw InputError(fmt::format(
                "time {} of the schedule, {} fs, is not after the one before; times must increase", k + 1,
                time / units::femtosecond));
    }
}

double TemperatureSchedule::at(double time) const {
    if (time <= points_.front().time) return points_.front().kT;
    for (std::size_t k = 1; k < points_.size(); ++k) {
        const TemperaturePoint &from = points_[k - 1], &to = points_[k];
        if (time <= to.time) return from.kT + (to.kT - from.kT) * (time - from.time) / (to.time - from.time);
    }
    return points_.back().kT;
}

double TemperatureSchedule::highest() const {
    return std::max_element(points_.begin(), points_.end(), colder)->kT;
}

double TemperatureSchedule::lowest() const {
    return std::min_element(points_.begin(), points_.end(), colder)->kT;
}

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// How the temperature of a bath changes with time: ramps, anneals, heating up.
#pragma once

#include <vector>

namespace stembridge::md {

/// The temperature at one time. Hartree atomic units.
struct TemperaturePoint {
    double time = 0;  ///< atomic time units
    double kT = 0;    ///< hartree
};

/// Temperatures at some times with straight lines between them; constant before the first and after the last.
class TemperatureSchedule {
  public:
    /// @throw InputError when there is no point, times do not increase, or a temperature is negative or not
    /// finite
    explicit TemperatureSchedule(std::vector<TemperaturePoint> points);
    /// The same temperature for ever.
    explicit TemperatureSchedule(double kT) : TemperatureSchedule(std::vector{TemperaturePoint{0, kT}}) {}

    /// kT at a time, hartree.
    double at(double time) const;
    double highest() const;
    double lowest() const;
    const std::vector<TemperaturePoint>& points() const { return points_; }

  private:
    std::vector<TemperaturePoint> points_;
};

}  // namespace stembridge::md

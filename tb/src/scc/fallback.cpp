// SPDX-License-Identifier: Apache-2.0
#include "scc/fallback.hpp"

#include <algorithm>
#include <array>

#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {

constexpr std::size_t patience = 25;  // cycles that every remedy gets
constexpr std::size_t recent = 10;    // the last ones, which must be better than all before by
constexpr double progress = 0.1;      // this factor
constexpr double round_off = 1e-7;    // e: errors below are no sign of a hard system
constexpr std::array temperatures = {1000 * units::kelvin, 2000 * units::kelvin, 4000 * units::kelvin};

}  // namespace

bool Fallback::stalled() const {
    if (errors_.size() < patience) return false;
    const auto split = errors_.end() - recent;
    const double before = *std::min_element(errors_.begin(), split);
    const double now = *std::min_element(split, errors_.end());
    return now > round_off && now > progress * before;
}

Fallback::Step Fallback::after(double error) {
    errors_.push_back(error);
    if (!stalled()) return Step::none;
    if (has_window_ && !in_window_) {
        in_window_ = true;
        errors_.clear();
        return Step::window_response;
    }
    const auto* warmer =
        std::find_if(temperatures.begin(), temperatures.end(), [&](double kT) { return kT > 1.001 * kT_; });
    if (warmer == temperatures.end()) return Step::none;
    kT_ = *warmer;
    errors_.clear();
    return Step::warmer;
}

}  // namespace stembridge::tb

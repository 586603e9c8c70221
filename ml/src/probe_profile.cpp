// SPDX-License-Identifier: Apache-2.0
#include "probe_profile.hpp"

#include <algorithm>
#include <cmath>

namespace stembridge::ml {

template <class Function>
void ProbeProfile::tabulate(const Function& p) {
    const double top = p(0.0);
    const auto faded = [&](double r2) {
        constexpr double fade_angstrom = 0.6;
        const double t = std::clamp((reach_angstrom - std::sqrt(r2)) / fade_angstrom, 0.0, 1.0);
        return p(r2) / top * t * t * (3 - 2 * t);
    };
    const auto count = static_cast<std::size_t>(reach_angstrom * reach_angstrom / step) + 2;
    for (std::size_t i = 0; i < count; ++i) {
        const double r2 = step * static_cast<double>(i);
        value_.push_back(static_cast<float>(faded(r2)));
        const double below = std::max(0.0, r2 - 0.5 * step);
        slope_.push_back(
            static_cast<float>((faded(r2 + 0.5 * step) - faded(below)) / (r2 + 0.5 * step - below)));
    }
}

ProbeProfile::ProbeProfile(double width_angstrom) {
    tabulate([&](double r2) { return std::exp(-0.5 * r2 / (width_angstrom * width_angstrom)); });
}

ProbeProfile::ProbeProfile(const std::array<double, components>& weights) {
    tabulate([&](double r2) {
        double sum = 0;
        for (std::size_t k = 0; k < components; ++k)
            sum += weights[k] * std::exp(-0.5 * r2 / (widths_angstrom[k] * widths_angstrom[k]));
        return sum;
    });
}

double ProbeProfile::fwhm_angstrom() const {
    const auto below = std::find_if(value_.begin(), value_.end(), [](float p) { return p < 0.5f; });
    return 2 * std::sqrt(step * static_cast<double>(below - value_.begin()));
}

}  // namespace stembridge::ml

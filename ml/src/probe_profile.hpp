// SPDX-License-Identifier: Apache-2.0
// How one atom looks in a frame: a radial profile, measured on the frame's own atoms.
#pragma once

#include <array>
#include <vector>

namespace stembridge::ml {

/// p(r) = sum_k c_k exp(-r^2 / 2 w_k^2), p(0) = 1, by a table over r^2; ends smoothly at its reach.
class ProbeProfile {
  public:
    static constexpr std::array widths_angstrom{0.27, 0.38, 0.54, 0.80, 1.20};
    static constexpr std::size_t components = widths_angstrom.size();
    static constexpr double reach_angstrom = 3.0;

    /// A single Gaussian.
    explicit ProbeProfile(double width_angstrom);
    /// @param weights c_k; scaled so that p(0) = 1
    explicit ProbeProfile(const std::array<double, components>& weights);

    /// @param r2 squared distance, angstrom^2
    double value(double r2) const { return at(value_, r2); }
    /// dp / d(r^2), 1 / angstrom^2
    double slope(double r2) const { return at(slope_, r2); }
    /// Full width at half maximum.
    double fwhm_angstrom() const;

  private:
    template <class Function>
    void tabulate(const Function& p);
    static double at(const std::vector<float>& table, double r2) {
        const double position = r2 * (1 / step);
        const auto cell = static_cast<std::size_t>(position);
        if (cell + 1 >= table.size()) return 0;
        const double f = position - static_cast<double>(cell);
        return (1 - f) * table[cell] + f * table[cell + 1];
    }
    static constexpr double step = 0.005;  ///< angstrom^2
    std::vector<float> value_, slope_;
};

}  // namespace stembridge::ml

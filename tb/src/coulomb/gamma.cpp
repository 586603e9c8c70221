// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/gamma.hpp"

#include <cmath>

namespace stembridge::tb {
namespace {

// Closer than this (relative) two parameters are taken as equal: the formula for different ones divides by
// the third power of their difference.
constexpr double equal_below = 2e-4;

/// exp(-t_a R) [ t_b^4 t_a / 2 (t_a^2 - t_b^2)^2 - (t_b^6 - 3 t_b^4 t_a^2) / ((t_a^2 - t_b^2)^3 R) ] and its
/// derivative; the extended precision carries the cancellation between the two of them for nearly equal t.
std::array<long double, 2> half(long double ta, long double tb, long double r) {
    const long double a2 = ta * ta, b2 = tb * tb, d = a2 - b2;
    const long double constant = b2 * b2 * ta / (2 * d * d);
    const long double inverse = b2 * b2 * (b2 - 3 * a2) / (d * d * d);
    const long double e = std::exp(-ta * r);
    const long double bracket = constant - inverse / r;
    return {e * bracket, e * (inverse / (r * r) - ta * bracket)};
}

}  // namespace

Gamma::Gamma(double hubbard_a, double hubbard_b, std::optional<double> damping)
    : tau_a_(3.2 * hubbard_a),
      tau_b_(3.2 * hubbard_b),
      damping_(damping ? std::pow((hubbard_a + hubbard_b) / 2, *damping) : 0),
      equal_(std::abs(hubbard_a - hubbard_b) < equal_below * (hubbard_a + hubbard_b) / 2) {}

std::array<double, 2> Gamma::short_range(double r) const {
    double s, ds;
    if (equal_) {
        // exp(-t R) [ 1/R + 11 t / 16 + 3 t^2 R / 16 + t^3 R^2 / 48 ]
        const double t = (tau_a_ + tau_b_) / 2, e = std::exp(-t * r);
        const double bracket = 1 / r + t * (11.0 / 16 + t * r * (3.0 / 16 + t * r / 48));
        s = e * bracket;
        ds = e * (-1 / (r * r) + t * t * (3.0 / 16 + t * r / 24) - t * bracket);
    } else {
        const auto a = half(tau_a_, tau_b_, r), b = half(tau_b_, tau_a_, r);
        s = static_cast<double>(a[0] + b[0]);
        ds = static_cast<double>(a[1] + b[1]);
    }
    if (damping_ > 0) {
        // S h, h = exp(-((U_a + U_b) / 2)^zeta R^2)
        const double h = std::exp(-damping_ * r * r);
        ds = h * (ds - 2 * damping_ * r * s);
        s *= h;
    }
    return {s, ds};
}

double Gamma::on_site() const {
    const double product = tau_a_ * tau_b_, sum = tau_a_ + tau_b_;
    return 0.5 * (product / sum + product * product / (sum * sum * sum));
}

double Gamma::range(double tolerance) const {
    double r = 1;
    while (std::abs(short_range(r)[0]) > tolerance) r += 0.5;
    return r;
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "coulomb/gamma.hpp"

#include <cmath>

namespace stembridge::tb {
namespace {

// Closer than this (relative) two parameters are taken as equal. The formula for different ones divides by
// the third power of their difference: extended precision carries it from `delicate_below` down to here.
constexpr double equal_below = 2e-4;
constexpr double delicate_below = 0.02;

/// A number with its derivatives with respect to two variables: value, d/dR, d/dU and d2/dR dU. The formulas
/// below are written once and give all of them by the product and chain rules.
template <class Real>
struct Derivatives {
    Real v = 0, r = 0, u = 0, ru = 0;
};

template <class Real>
Derivatives<Real> operator+(const Derivatives<Real>& a, const Derivatives<Real>& b) {
    return {a.v + b.v, a.r + b.r, a.u + b.u, a.ru + b.ru};
}
template <class Real>
Derivatives<Real> operator-(const Derivatives<Real>& a, const Derivatives<Real>& b) {
    return {a.v - b.v, a.r - b.r, a.u - b.u, a.ru - b.ru};
}
template <class Real>
Derivatives<Real> operator*(Real x, const Derivatives<Real>& a) {
    return {x * a.v, x * a.r, x * a.u, x * a.ru};
}
template <class Real>
Derivatives<Real> operator*(const Derivatives<Real>& a, const Derivatives<Real>& b) {
    return {a.v * b.v, a.r * b.v + a.v * b.r, a.u * b.v + a.v * b.u,
            a.ru * b.v + a.r * b.u + a.u * b.r + a.v * b.ru};
}
/// f(a) from f, f', f''.
template <class Real>
Derivatives<Real> chain(const Derivatives<Real>& a, Real f, Real f1, Real f2) {
    return {f, f1 * a.r, f1 * a.u, f1 * a.ru + f2 * a.r * a.u};
}
template <class Real>
Derivatives<Real> inverse(const Derivatives<Real>& a) {
    const Real x = 1 / a.v;
    return chain(a, x, -x * x, 2 * x * x * x);
}
template <class Real>
Derivatives<Real> exponential(const Derivatives<Real>& a) {
    const Real e = std::exp(a.v);
    return chain(a, e, e, e);
}
template <class Real>
Derivatives<Real> power(const Derivatives<Real>& a, Real p) {
    return chain(a, std::pow(a.v, p), p * std::pow(a.v, p - 1), p * (p - 1) * std::pow(a.v, p - 2));
}

/// exp(-t_a R) [ t_b^4 t_a / 2 (t_a^2 - t_b^2)^2 - (t_b^6 - 3 t_b^4 t_a^2) / ((t_a^2 - t_b^2)^3 R) ]
template <class Real>
Derivatives<Real> half(const Derivatives<Real>& ta, const Derivatives<Real>& tb, const Derivatives<Real>& r) {
    const auto a2 = ta * ta, b2 = tb * tb, x = inverse(a2 - b2), scale = b2 * b2 * x * x;
    return exponential(Real(-1) * (ta * r)) * scale * (Real(0.5) * ta - (b2 - Real(3) * a2) * x * inverse(r));
}

/// exp(-t R) [ 1/R + 11 t / 16 + 3 t^2 R / 16 + t^3 R^2 / 48 ]
template <class Real>
Derivatives<Real> equal(const Derivatives<Real>& t, const Derivatives<Real>& r) {
    const auto tr = t * r, t_tr = t * tr;
    return exponential(Real(-1) * tr) *
           (inverse(r) + Real(11) / 16 * t + Real(3) / 16 * t_tr + Real(1) / 48 * (t_tr * tr));
}

/// S(R), damped where a damping exponent is given, with its derivatives with respect to R and U_a.
/// For equal parameters the derivative of S is that of their common value. This is the convention with which
/// DFTB3 parameters were made and published numbers were computed; as a limit of different parameters it
/// would be half.
template <class Real>
std::array<double, 4> short_range_of(double hubbard_a, double hubbard_b, const std::optional<double>& damping,
                                     double at, bool are_equal) {
    const Derivatives<Real> r{static_cast<Real>(at), 1, 0, 0};
    const Real mean = (static_cast<Real>(hubbard_a) + static_cast<Real>(hubbard_b)) / 2, tau = Real(16) / 5;
    Derivatives<Real> s;
    if (are_equal) {
        s = equal(tau * Derivatives<Real>{mean, 0, 1, 0}, r);
    } else {
        const auto a = tau * Derivatives<Real>{static_cast<Real>(hubbard_a), 0, 1, 0};
        const auto b = tau * Derivatives<Real>{static_cast<Real>(hubbard_b), 0, 0, 0};
        s = half(a, b, r) + half(b, a, r);
    }
    if (damping)
        s = s * exponential(Real(-1) *
                            power(Derivatives<Real>{mean, 0, 0.5, 0}, static_cast<Real>(*damping)) * (r * r));
    return {static_cast<double>(s.v), static_cast<double>(s.r), static_cast<double>(s.u),
            static_cast<double>(s.ru)};
}

/// S, dS/dR, dS/dU_a, d2S/dR dU_a.
std::array<double, 4> evaluate(double a, double b, const std::optional<double>& damping, double r,
                               bool are_equal) {
    if (!are_equal && std::abs(a - b) < delicate_below * (a + b) / 2)
        return short_range_of<long double>(a, b, damping, r, false);
    return short_range_of<double>(a, b, damping, r, are_equal);
}

}  // namespace

Gamma::Gamma(double hubbard_a, double hubbard_b, std::optional<double> damping)
    : hubbard_a_(hubbard_a),
      hubbard_b_(hubbard_b),
      damping_(damping),
      equal_(std::abs(hubbard_a - hubbard_b) < equal_below * (hubbard_a + hubbard_b) / 2) {}

std::array<double, 2> Gamma::short_range(double r) const {
    const auto s = evaluate(hubbard_a_, hubbard_b_, damping_, r, equal_);
    return {s[0], s[1]};
}

std::array<double, 2> Gamma::hubbard_derivative(double r) const {
    const auto s = evaluate(hubbard_a_, hubbard_b_, damping_, r, equal_);
    return {s[2], s[3]};
}

double Gamma::on_site() const {
    const double a = 3.2 * hubbard_a_, b = 3.2 * hubbard_b_;
    return 0.5 * (a * b / (a + b) + a * a * b * b / ((a + b) * (a + b) * (a + b)));
}

double Gamma::range(double tolerance) const {
    double r = 1;
    while (std::abs(short_range(r)[0]) > tolerance) r += 0.5;
    return r;
}

}  // namespace stembridge::tb

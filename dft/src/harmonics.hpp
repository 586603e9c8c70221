// SPDX-License-Identifier: Apache-2.0
// Real spherical harmonics Y_lm(theta, phi) = Theta_lm(theta) cos(m phi), l = 0..3.
#pragma once

#include <cmath>

namespace stembridge::dft {

/// Theta_lm, its derivative with respect to theta, and m Theta_lm / sin(theta).
struct PolarFunction {
    double value = 0, slope = 0, over_sine = 0;
};

/// @param c, s cosine and sine of theta  @param m 0..l
inline PolarFunction polar_function(int l, int m, double c, double s) {
    const auto norm = [](double numerator, double denominator) {
        return std::sqrt(numerator / (denominator * M_PI));
    };
    switch (4 * l + m) {
        case 0: {
            return {norm(1, 4), 0, 0};
        }
        case 4: {
            const double n = norm(3, 4);
            return {n * c, -n * s, 0};
        }
        case 5: {
            const double n = norm(3, 4);
            return {n * s, n * c, n};
        }
        case 8: {
            const double n = norm(5, 16);
            return {n * (3 * c * c - 1), -6 * n * c * s, 0};
        }
        case 9: {
            const double n = norm(15, 4);
            return {n * s * c, n * (c * c - s * s), n * c};
        }
        case 10: {
            const double n = norm(15, 16);
            return {n * s * s, 2 * n * s * c, 2 * n * s};
        }
        case 12: {
            const double n = norm(7, 16);
            return {n * (5 * c * c - 3) * c, -n * s * (15 * c * c - 3), 0};
        }
        case 13: {
            const double n = norm(21, 32);
            return {n * s * (5 * c * c - 1), n * c * (5 * c * c - 1 - 10 * s * s), n * (5 * c * c - 1)};
        }
        case 14: {
            const double n = norm(105, 16);
            return {n * s * s * c, n * s * (2 * c * c - s * s), 2 * n * s * c};
        }
        case 15: {
            const double n = norm(35, 32);
            return {n * s * s * s, 3 * n * s * s * c, 3 * n * s * s};
        }
        default:
            return {};
    }
}

}  // namespace stembridge::dft

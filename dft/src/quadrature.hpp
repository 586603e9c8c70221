// SPDX-License-Identifier: Apache-2.0
// Gauss-Legendre quadrature.
#pragma once

#include <cmath>
#include <vector>

namespace stembridge::dft {

struct Quadrature {
    std::vector<double> points, weights;
};

/// Gauss-Legendre rule on [low, high], exact for polynomials of degree 2n - 1.
/// @source Davis, Rabinowitz, Methods of Numerical Integration (1984), section 2.7
inline Quadrature gauss_legendre(int n, double low, double high) {
    Quadrature rule;
    rule.points.resize(static_cast<std::size_t>(n));
    rule.weights.resize(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) {
        // Newton's iteration for the i-th root of P_n.
        double x = -std::cos(M_PI * (i + 0.75) / (n + 0.5)), derivative = 1;
        for (int iteration = 0; iteration < 100; ++iteration) {
            double p = 1, before = 0;
            for (int k = 1; k <= n; ++k) {
                const double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;
                before = p;
                p = next;
            }
            derivative = n * (x * p - before) / (x * x - 1);
            const double step = p / derivative;
            x -= step;
            if (std::abs(step) < 1e-15) break;
        }
        const auto at = static_cast<std::size_t>(i);
        rule.points[at] = 0.5 * (low + high) + 0.5 * (high - low) * x;
        rule.weights[at] = (high - low) / ((1 - x * x) * derivative * derivative);
    }
    return rule;
}

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/radial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "stembridge/base/errors.hpp"

namespace stembridge::dft {

SplineBasis::SplineBasis(int degree, std::vector<double> breakpoints)
    : degree_(degree), breakpoints_(std::move(breakpoints)) {
    if (degree < 1 || degree > max_degree)
        throw InputError(fmt::format("spline degree {} is outside 1..{}", degree, max_degree));
    if (breakpoints_.size() < 2 || std::adjacent_find(breakpoints_.begin(), breakpoints_.end(),
                                                      std::greater_equal<>()) != breakpoints_.end())
        throw InputError("the ends of spline intervals must ascend, and there must be at least two");
    knots_.assign(static_cast<std::size_t>(degree), breakpoints_.front());
    knots_.insert(knots_.end(), breakpoints_.begin(), breakpoints_.end());
    knots_.insert(knots_.end(), static_cast<std::size_t>(degree), breakpoints_.back());
}

int SplineBasis::evaluate(double r, Local& values, Local& derivatives) const {
    const auto after = std::upper_bound(breakpoints_.begin() + 1, breakpoints_.end() - 1, r);
    const int first = static_cast<int>(after - breakpoints_.begin()) - 1;
    const double* t = knots_.data() + first + degree_;  // t[0] <= r <= t[1]

    // Recursion in the degree k: N_i^k = (r - t_i) / (t_{i+k} - t_i) N_i^{k-1}
    //                                    + (t_{i+k+1} - r) / (t_{i+k+1} - t_{i+1}) N_{i+1}^{k-1}.
    Local lower{};
    values[0] = 1;
    for (int k = 1; k <= degree_; ++k) {
        if (k == degree_) lower = values;
        double carried = 0;
        for (int i = 0; i < k; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const double share = values[at] / (t[i + 1] - t[i + 1 - k]);
            values[at] = carried + (t[i + 1] - r) * share;
            carried = (r - t[i + 1 - k]) * share;
        }
        values[static_cast<std::size_t>(k)] = carried;
    }

    // dN_i^p/dr = p [ N_i^{p-1} / (t_{i+p} - t_i) - N_{i+1}^{p-1} / (t_{i+p+1} - t_{i+1}) ].
    double before = 0;
    for (int i = 0; i <= degree_; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const double next = i < degree_ ? degree_ * lower[at] / (t[i + 1] - t[i + 1 - degree_]) : 0;
        derivatives[at] = before - next;
        before = next;
    }
    return first;
}

RadialFunctions::RadialFunctions(SplineBasis basis, Eigen::MatrixXd coefficients)
    : basis_(std::move(basis)), coefficients_(std::move(coefficients)) {}

void RadialFunctions::evaluate(double r, double* values, double* derivatives) const {
    std::fill_n(values, count(), 0.0);
    std::fill_n(derivatives, count(), 0.0);
    if (r > basis_.radius()) return;
    SplineBasis::Local b, db;
    const int first = basis_.evaluate(r, b, db);
    const int n = basis_.degree() + 1;
    for (int f = 0; f < count(); ++f) {
        const double* c = coefficients_.data() + f * coefficients_.rows() + first;
        double value = 0, derivative = 0;
        for (int i = 0; i < n; ++i) {
            value += c[i] * b[static_cast<std::size_t>(i)];
            derivative += c[i] * db[static_cast<std::size_t>(i)];
        }
        values[f] = value;
        derivatives[f] = derivative;
    }
}

double RadialFunctions::value(int function, double r) const {
    if (r > basis_.radius()) return 0;
    SplineBasis::Local b, db;
    const int first = basis_.evaluate(r, b, db);
    double result = 0;
    for (int i = 0; i <= basis_.degree(); ++i)
        result += coefficients_(first + i, function) * b[static_cast<std::size_t>(i)];
    return result;
}

}  // namespace stembridge::dft

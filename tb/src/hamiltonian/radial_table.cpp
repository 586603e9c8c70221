// SPDX-License-Identifier: Apache-2.0
// Lagrange interpolation on a regular grid.
#include "hamiltonian/radial_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

constexpr int n = RadialTable::stencil;

/// Weights of the stencil points 0..7 for value, first and second derivative at x, in units of the spacing.
struct Weights {
    std::array<double, n> value{}, first{}, second{};
};

/// L_k(x) = prod_{j != k} (x - j) / (k - j); derivatives by the product rule.
Weights lagrange(double x, bool with_second) {
    static constexpr std::array<double, n> denominator = {-5040, 720, -240, 144, -144, 240, -720, 5040};
    Weights w;
    for (int k = 0; k < n; ++k) {
        double p = 1, dp = 0, ddp = 0;
        for (int j = 0; j < n; ++j) {
            if (j == k) continue;
            const double factor = x - j;
            if (with_second) ddp = ddp * factor + 2 * dp;
            dp = dp * factor + p;
            p *= factor;
        }
        const auto i = static_cast<std::size_t>(k);
        w.value[i] = p / denominator[i];
        w.first[i] = dp / denominator[i];
        w.second[i] = ddp / denominator[i];
    }
    return w;
}

}  // namespace

RadialTable::RadialTable(double spacing, int n_columns, std::vector<double> values)
    : spacing_(spacing),
      n_columns_(n_columns),
      n_rows_(n_columns > 0 ? static_cast<int>(values.size()) / n_columns : 0),
      values_(std::move(values)) {
    if (n_columns > 0 && n_rows_ < n)
        throw InputError("a table of two-centre integrals needs at least 8 rows");
    last_ = n_rows_ * spacing_;
    if (n_columns == 0) return;
    // Value, slope and curvature of the last stencil's polynomial at the last row.
    tail_.assign(static_cast<std::size_t>(3 * n_columns), 0.0);
    const Weights w = lagrange(n - 1, true);
    for (int k = 0; k < n; ++k)
        for (int c = 0; c < n_columns; ++c) {
            const double y = values_[static_cast<std::size_t>((n_rows_ - n + k) * n_columns + c)];
            double* t = &tail_[static_cast<std::size_t>(3 * c)];
            t[0] += w.value[static_cast<std::size_t>(k)] * y;
            t[1] += w.first[static_cast<std::size_t>(k)] * y / spacing_;
            t[2] += w.second[static_cast<std::size_t>(k)] * y / (spacing_ * spacing_);
        }
}

void RadialTable::evaluate(double r, double* value, double* derivative) const {
    std::fill_n(value, n_columns_, 0.0);
    if (derivative != nullptr) std::fill_n(derivative, n_columns_, 0.0);
    if (n_columns_ == 0 || r >= range()) return;
    if (r >= last_) {
        // (1 - t)^3 (a + b t + c t^2) with the value, slope and curvature of the table at t = 0
        const double t = (r - last_) / tail_length, u = 1 - t;
        for (int k = 0; k < n_columns_; ++k) {
            const double* y = &tail_[static_cast<std::size_t>(3 * k)];
            const double a = y[0], b = y[1] * tail_length + 3 * a;
            const double c = y[2] * tail_length * tail_length / 2 + 3 * (b - a);
            const double q = a + t * (b + t * c);
            value[k] = u * u * u * q;
            if (derivative != nullptr) derivative[k] = u * u * (u * (b + 2 * c * t) - 3 * q) / tail_length;
        }
        return;
    }
    // Row k (from 1) is at k spacing; the stencil is centred on the interval that holds r.
    const int interval = static_cast<int>(std::floor(r / spacing_));
    const int end = std::max(std::min(n_rows_, interval + n / 2), n);
    const Weights w = lagrange(r / spacing_ - (end - n + 1), false);
    const double* row =
        values_.data() + static_cast<std::size_t>(end - n) * static_cast<std::size_t>(n_columns_);
    for (int k = 0; k < n; ++k, row += n_columns_) {
        const double v = w.value[static_cast<std::size_t>(k)];
        for (int c = 0; c < n_columns_; ++c) value[c] += v * row[c];
        if (derivative == nullptr) continue;
        const double d = w.first[static_cast<std::size_t>(k)] / spacing_;
        for (int c = 0; c < n_columns_; ++c) derivative[c] += d * row[c];
    }
}

}  // namespace stembridge::tb

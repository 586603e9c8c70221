// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/kpoints.hpp"

#include <fmt/format.h>

#include <map>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

KPoints kpoint_grid(const std::array<int, 3>& divisions, bool gamma_centered, const Cell& cell) {
    for (std::size_t k = 0; k < 3; ++k) {
        if (divisions[k] < 1)
            throw InputError(fmt::format("k-point divisions must be 1 or more, not {}", divisions[k]));
        if (divisions[k] > 1 && !cell.periodic[k])
            throw InputError(fmt::format(
                "{} k-points along lattice vector {}, in which the structure is not periodic; use 1",
                divisions[k], k + 1));
    }
    // Numerators over 2 n, in (-n, n], so that k and -k can be compared exactly.
    const auto wrapped = [&](int numerator, std::size_t axis) {
        const int n = divisions[axis];
        int m = numerator % (2 * n);
        if (m <= -n) m += 2 * n;
        if (m > n) m -= 2 * n;
        return m;
    };
    std::map<std::array<int, 3>, double> weight;
    for (int a = 0; a < divisions[0]; ++a)
        for (int b = 0; b < divisions[1]; ++b)
            for (int c = 0; c < divisions[2]; ++c) {
                std::array<int, 3> point = {a, b, c}, mirror{};
                for (std::size_t k = 0; k < 3; ++k) {
                    point[k] = wrapped(2 * point[k] + (gamma_centered ? 0 : 1 - divisions[k]), k);
                    mirror[k] = wrapped(-point[k], k);
                }
                weight[std::max(point, mirror)] += 1.0 / (divisions[0] * divisions[1] * divisions[2]);
            }
    KPoints result;
    result.points.resize(3, static_cast<Eigen::Index>(weight.size()));
    result.weights.resize(result.points.cols());
    Eigen::Index i = 0;
    for (const auto& [point, w] : weight) {
        for (std::size_t k = 0; k < 3; ++k)
            result.points(static_cast<Eigen::Index>(k), i) =
                static_cast<double>(point[k]) / (2.0 * divisions[k]);
        result.weights(i++) = w;
    }
    return result;
}

}  // namespace stembridge::tb

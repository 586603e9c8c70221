// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/kpoints.hpp"

#include <fmt/format.h>

#include <cmath>
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

KPoints kpoint_list(const std::vector<std::array<double, 4>>& points, const Cell& cell) {
    if (points.empty()) throw InputError("the list of k-points is empty");
    // Coordinates closer than this are the same: what is left of a decimal with six digits is not.
    constexpr double same = 1e-9;
    const auto equal = [](const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
        const Eigen::Vector3d d = a - b;
        return (d - d.array().round().matrix()).cwiseAbs().maxCoeff() < same;
    };
    std::vector<Eigen::Vector3d> distinct;
    std::vector<double> weights;
    double sum = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto& [x, y, z, weight] = points[i];
        const Eigen::Vector3d k(x, y, z);
        if (!k.allFinite() || !std::isfinite(weight))
            throw InputError(fmt::format("k-point {} of the list holds a value that is not finite", i + 1));
        if (weight <= 0)
            throw InputError(
                fmt::format("k-point {} of the list has weight {}: weights must be positive", i + 1, weight));
        for (int axis = 0; axis < 3; ++axis)
            if (!cell.periodic[static_cast<std::size_t>(axis)] && std::abs(k(axis)) > same)
                throw InputError(fmt::format(
                    "k-point {} of the list has component {} along lattice vector {}, in which the structure "
                    "is not periodic; use 0",
                    i + 1, k(axis), axis + 1));
        sum += weight;
        // E(-k) = E(k): the Hamiltonian is real in real space.
        std::size_t known = 0;
        while (known < distinct.size() && !equal(distinct[known], k) && !equal(distinct[known], -k)) ++known;
        if (known < distinct.size()) {
            weights[known] += weight;
        } else {
            distinct.push_back(k);
            weights.push_back(weight);
        }
    }
    if (std::abs(sum - 1) > 1e-6)
        throw InputError(fmt::format("the weights of the {} k-points of the list add up to {}, not to 1",
                                     points.size(), sum));
    KPoints result;
    result.points.resize(3, static_cast<Eigen::Index>(distinct.size()));
    result.weights.resize(result.points.cols());
    for (Eigen::Index i = 0; i < result.points.cols(); ++i) {
        result.points.col(i) = distinct[static_cast<std::size_t>(i)];
        result.weights(i) = weights[static_cast<std::size_t>(i)] / sum;
    }
    return result;
}

std::array<int, 3> common_divisions(const KPoints& kpoints) {
    // Blocks of the density repeat, up to a common factor, when the phases of all points and of their
    // opposites turn alike.
    const auto fits = [&](Eigen::Index axis, int n) {
        for (Eigen::Index i = 0; i < kpoints.points.cols(); ++i)
            for (const double other : {kpoints.points(axis, 0), -kpoints.points(axis, 0)}) {
                const double steps = n * (kpoints.points(axis, i) - other);
                if (std::abs(steps - std::round(steps)) > 1e-6) return false;
            }
        return true;
    };
    std::array<int, 3> divisions{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        int n = 1;
        while (n <= 100 && !fits(static_cast<Eigen::Index>(axis), n)) ++n;
        divisions[axis] = n <= 100 ? n : 1000;
    }
    return divisions;
}

}  // namespace stembridge::tb

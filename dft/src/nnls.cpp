// SPDX-License-Identifier: Apache-2.0
#include "nnls.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stembridge/base/errors.hpp"

namespace stembridge::dft {

Eigen::VectorXd nonnegative_least_squares(const Eigen::MatrixXd& gram, const Eigen::VectorXd& right) {
    const Eigen::Index n = right.size();
    // Columns of equal length, so that one tolerance fits all.
    const Eigen::VectorXd scale =
        gram.diagonal().unaryExpr([](double d) { return d > 0 ? 1 / std::sqrt(d) : 0.0; });
    const Eigen::MatrixXd q = scale.asDiagonal() * gram * scale.asDiagonal();
    const Eigen::VectorXd p = scale.cwiseProduct(right);
    const double tolerance = 1e-12 * std::max(p.cwiseAbs().maxCoeff(), std::numeric_limits<double>::min());

    Eigen::VectorXd x = Eigen::VectorXd::Zero(n);
    std::vector<Eigen::Index> passive;  // indices of the variables that may be positive
    std::vector<bool> barred(static_cast<std::size_t>(n), false);
    const int max_iterations = 30 * static_cast<int>(n) + 100;
    for (int iteration = 0; iteration < max_iterations; ++iteration) {
        // The variable whose growth lowers the error most joins.
        const Eigen::VectorXd descent = p - q * x;
        Eigen::Index best = -1;
        for (Eigen::Index k = 0; k < n; ++k) {
            const bool taken = std::find(passive.begin(), passive.end(), k) != passive.end();
            if (!taken && !barred[static_cast<std::size_t>(k)] && descent(k) > tolerance &&
                (best < 0 || descent(k) > descent(best)))
                best = k;
        }
        if (best < 0) return scale.cwiseProduct(x);
        passive.push_back(best);

        for (bool feasible = false; !feasible;) {
            // Unconstrained optimum of the passive variables.
            const Eigen::VectorXd s = q(passive, passive).ldlt().solve(p(passive));
            feasible = true;
            double step = 1;
            for (std::size_t k = 0; k < passive.size(); ++k) {
                const double from = x(passive[k]), to = s(static_cast<Eigen::Index>(k));
                if (to > 0) continue;
                feasible = false;
                step = std::min(step, from / std::max(from - to, std::numeric_limits<double>::min()));
            }
            // Go towards it as far as nothing turns negative; what reaches zero leaves.
            for (std::size_t k = 0; k < passive.size(); ++k)
                x(passive[k]) += step * (s(static_cast<Eigen::Index>(k)) - x(passive[k]));
            if (feasible) break;
            if (step == 0 && passive.back() == best) barred[static_cast<std::size_t>(best)] = true;
            std::erase_if(passive, [&](Eigen::Index k) {
                const bool leaves = x(k) <= 1e-14;
                if (leaves) x(k) = 0;
                return leaves;
            });
        }
        if (std::find(passive.begin(), passive.end(), best) != passive.end())
            std::fill(barred.begin(), barred.end(), false);
    }
    throw ConvergenceError(
        "non-negative least squares", max_iterations, 0, tolerance,
        "the data determine the curvatures badly: raise the smoothness or the knot spacing");
}

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// Non-negative least squares.
#pragma once

#include <Eigen/Dense>

namespace stembridge::dft {

/// Minimises | A x - b |^2 over x >= 0, given A^T A and A^T b.
/// @throw ConvergenceError
/// @source Lawson, Hanson, Solving Least Squares Problems (1974), chapter 23; Bro, de Jong, J. Chemom. 11,
/// 393 (1997) (with A^T A)
Eigen::VectorXd nonnegative_least_squares(const Eigen::MatrixXd& gram, const Eigen::VectorXd& right);

}  // namespace stembridge::dft

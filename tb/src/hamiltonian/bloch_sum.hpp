// SPDX-License-Identifier: Apache-2.0
// Matrices of a periodic structure at a point of the Brillouin zone.
#pragma once

#include <Eigen/Dense>
#include <complex>

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// exp(2 pi i k T) of a block. @param k in fractions of the reciprocal vectors
std::complex<double> bloch_phase(const Eigen::Vector3d& k, const Block& block);

/// sum_T M(T) exp(2 pi i k T), (n, n), lower triangle filled. @param k in fractions of the reciprocal vectors
Eigen::MatrixXcd bloch_sum(const BlockMatrix& matrix, const Eigen::Vector3d& k);

}  // namespace stembridge::tb

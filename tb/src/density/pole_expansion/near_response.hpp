// SPDX-License-Identifier: Apache-2.0
// How populations answer to potentials, between atoms that are near each other, from inverses at poles.
#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <complex>
#include <vector>

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// dn_a/dv_b of the shells a, b of near atoms, at a fixed Fermi level:
///   chi_ab = -sum_j Re[ w_j sum_(mu in a, nu in b) ( G_mu,nu (S G S)_nu,mu + (G S)_mu,nu (G S)_nu,mu ) ], G
///   = G_j
/// the first-order change of the populations of sum_j 2 Re[w_j G_j] when v S_mu,nu (mu or nu in b, half each)
/// is added to H. In the products overlaps count between nearest neighbours only. Far pairs answer little:
/// states that are not there at the Fermi level decay within some bonds, those that are sit on few atoms or
/// are spread thin.
/// @param inverses G_j on the pattern of the overlap, one vector of its values per pole, e^-1
/// @param weights w_j, (poles)
/// @param range largest distance of the two atoms, bohr
/// @return (n_shells, n_shells), symmetric, 1/hartree
/// @source Adler, Phys. Rev. 126, 413 (1962); Wiser, Phys. Rev. 129, 62 (1963)
Eigen::SparseMatrix<double> near_response(const BlockMatrix& overlap,
                                          const std::vector<std::vector<std::complex<double>>>& inverses,
                                          const Eigen::VectorXcd& weights, double range);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// A crude Hessian made of springs between neighbours, to even out stiff bonds and soft bending.
#pragma once

#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>

#include "coordinates.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Sparse Cholesky factors of
///   P = sum over pairs w_ij [k_along e e^T + k_across (1 - e e^T)] on (u_i - u_j)
///       + sum over angles, planes and torsions k_q (dq/dx) (dq/dx)^T  +  c 1,
///   w_ij = exp(-a (r_ij / r0_ij - 1)), e = r_ij / |r_ij|, r0_ij = sum of the covalent radii,
/// restricted to the free coordinates: positive definite whatever the structure. With planes and torsions a
/// sheet is as soft against long waves out of its plane (k^4) as it really is.
/// @source exponential weights and stabilisation: Packwood et al., J. Chem. Phys. 144, 164109 (2016); springs
/// along and across the bond: Born, Huang, Dynamical Theory of Crystal Lattices, section 29; products of
/// gradients: Mones, Ortner, Csanyi, Sci. Rep. 8, 13991 (2018)
class BondPreconditioner {
  public:
    BondPreconditioner(const Structure& structure, const FreeCoordinates& free);
    /// P^-1 v. @param v one entry per free coordinate
    Eigen::VectorXd solve(const Eigen::VectorXd& v) const { return factors_.solve(v); }

    /// The diagonal of P, one entry per free coordinate, hartree/bohr^2.
    static Eigen::VectorXd diagonal(const Structure& structure, const FreeCoordinates& free);

  private:
    Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> factors_;
};

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// Potentials of the charges in the Hamiltonian.
#pragma once

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// H = H0 + 1/2 S (V_mu + V_nu). @param v of the orbitals, (n_orbitals)
void add_potential(BlockMatrix& hamiltonian, const BlockMatrix& overlap, const Eigen::VectorXd& v);

/// H_mu,mu += u of the orbitals' atom: the potential that belongs to the traces of the on-site blocks.
/// @param u of the atoms, or empty
void add_on_site_potential(BlockMatrix& hamiltonian, const Eigen::VectorXd& u);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// A model of how the charges answer to a potential, for the preconditioner of the self-consistency.
#pragma once

#include <Eigen/Dense>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/basis.hpp"
#include "stembridge/tb/mixer.hpp"

namespace stembridge::tb {

/// The part of the response that bonds give: kappa for each pair of bonded atoms, minus the sum on the
/// diagonal. (sites, sites), e^2/hartree; zero where sites are shells.
Eigen::MatrixXd bond_response(const Structure& structure, const Sites& sites);

/// (1 - chi_0 gamma)^-1 with chi_0 = K - diag(D) + D D^T / sum(D): bonds, and states at the Fermi level that
/// exchange electrons among each other. The charge of what it is applied to is kept.
/// @param bonds K  @param states D, number of states at the Fermi level on each site, 1/hartree
Preconditioner make_preconditioner(const Eigen::MatrixXd& bonds, const Eigen::VectorXd& states,
                                   const Eigen::MatrixXd& gamma);

}  // namespace stembridge::tb

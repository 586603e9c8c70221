// SPDX-License-Identifier: Apache-2.0
// A model of how charges and spins answer to a potential, for the preconditioner of the self-consistency.
//
// All matrices here act on the vector that the mixer sees: electrons on the sites and, with spin, the spin of
// the shells behind them.
#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <vector>

#include "scc/mixer.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/basis.hpp"
#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// chi in parts, whose sum it is: (sites + spins, sites + spins), e^2/hartree.
struct Response {
    Eigen::SparseMatrix<double> local;
    std::vector<Eigen::VectorXd> levels;  ///< d of each Fermi level, chi += d d^T
    Eigen::MatrixXd dense;                ///< or empty
};

/// The part of the response that bonds give: kappa for each pair of bonded atoms, minus the sum on the
/// diagonal. (sites, sites), e^2/hartree; zero where sites are shells.
Eigen::SparseMatrix<double> bond_response(const Structure& structure, const Sites& sites);

/// Response of states at the Fermi level that exchange electrons among each other, without spin
/// chi = -diag(D) + D D^T / sum(D), and with spin the same for both of them, each with half of D. What it
/// gives has no charge in all.
/// @param states D, number of states on each shell at the Fermi level, (n_shells), 1/hartree
/// @param shared_fermi_level of the spins; else each spin keeps its electrons
Response local_response(const Sites& sites, const Eigen::VectorXd& states, int n_spins,
                        bool shared_fermi_level);

/// Response of near atoms to each other and of the Fermi level, chi = near + D D^T / sum(D) of each spin. To
/// one potential everywhere a shell must answer with -D at a fixed Fermi level: what near atoms leave of that
/// is given to the shell itself, so that slow waves of charge, on which Coulomb's law is strict, are answered
/// right.
/// @param near of each spin, with D = `states`
/// @param shared_fermi_level of the spins; else each spin keeps its electrons
Response near_sighted_response(const Sites& sites, const std::vector<NearResponse>& near,
                               bool shared_fermi_level);

/// Response of the given eigenstates alone, by perturbation theory,
/// chi = sum_k w_k sum_ab (f_a - f_b) / (e_a - e_b) Re[ q_ab q_ab^H ] with the transition charges q_ab, at
/// constant electrons. A potential that is the same in every cell does not mix k-points.
/// @param kT of the occupations in it, hartree
Response window_response(const Sites& sites, const std::vector<NearStates>& states,
                         const BlockMatrix& overlap, const KPoints& kpoints, double kT,
                         bool shared_fermi_level);

/// Newton's of the spins too, or those of SpinModes.
enum class SpinSteps { newton, bounded };

/// (1 - (chi + bonds) K)^-1 with K = gamma for the charges and W for the spins; what follows them in the
/// vector of the mixer stays as it is. Where spins are unstable or nearly so, see SpinModes.
/// @param bonds (sites, sites)  @param gamma (sites, sites)  @param spin W, (spins, spins)
Preconditioner make_preconditioner(const Response& chi, const Eigen::SparseMatrix<double>& bonds,
                                   const Eigen::MatrixXd& gamma, const Eigen::SparseMatrix<double>& spin,
                                   SpinSteps spin_steps = SpinSteps::bounded);

}  // namespace stembridge::tb

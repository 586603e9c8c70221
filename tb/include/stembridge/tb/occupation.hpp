// SPDX-License-Identifier: Apache-2.0
// Electrons on levels: Fermi level, occupations, entropy.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::tb {

/// How electrons are put on levels.
struct Electrons {
    double number = 0;
    double kT = 0;  ///< hartree
    Filling filling = Filling::fermi;
    int n_spins = 1;
    std::optional<double> unpaired =
        std::nullopt;  ///< fixed difference of the spins; empty = one Fermi level
};

/// Electrons on levels. Occupations run from 0 to 2 without spin, 0 to 1 with spin, without k-point weights.
struct Occupations {
    std::vector<Eigen::MatrixXd> f;    ///< (n_levels, n_kpoints) per spin
    std::vector<double> fermi_levels;  ///< hartree, one per spin (equal when the spins share one)
    double band_energy = 0;            ///< sum of f e, hartree
    double ts = 0;                     ///< electronic temperature times entropy, hartree
    double ts_share_at_zero = 0.5;     ///< energy at zero temperature = free energy + this * TS
    double gap = 0;                    ///< between the highest level below and the lowest above half filling
};

/// Fills levels to the given number of electrons. At kT = 0 degenerate levels at the Fermi level share what
/// is left equally.
/// @param levels (n_levels, n_kpoints) per spin, ascending in each column  @param weights of the k-points
/// @throw InputError when there are more electrons than the levels can hold, NumericalError when levels are
/// not finite
/// @source Methfessel and Paxton, Phys. Rev. B 40, 3616 (1989), doi:10.1103/PhysRevB.40.3616
Occupations occupy(const std::vector<Eigen::MatrixXd>& levels, const Eigen::VectorXd& weights,
                   const Electrons& electrons);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// What tight binding needs to know of a free atom: on-site energies, Hubbard parameters, spin constants.
#pragma once

#include <Eigen/Dense>
#include <utility>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/dft/atom.hpp"

namespace stembridge::dft {

/// A shell of the free atom that takes part in bonds.
struct ValenceShell {
    int n = 1;
    int l = 0;
    double occupation = 0;
    double energy = 0;  ///< hartree
};

/// One-centre data of an element, hartree; rows and columns in the order of the shells.
struct OneCentre {
    std::vector<ValenceShell> shells;
    Eigen::MatrixXd hubbard;       ///< U_ij = de_i/dn_j, symmetric
    Eigen::MatrixXd spin;          ///< W_ij = (de_i_up/dn_j_up - de_i_up/dn_j_down) / 2, symmetric
    double spin_polarization = 0;  ///< E(polarised ground state) - E(unpolarised)
    double energy = 0;             ///< of the unpolarised atom
};

/// One-centre data from the free atom and atoms with slightly changed occupations (0.01 electrons; central
/// differences, one-sided where a shell is full or empty).
/// @param free_atom its confinement and polarisation are ignored
/// @param valence (n, l) of the shells wanted
/// @throw InputError when a wanted shell is unbound
OneCentre one_centre(const AtomOptions& free_atom, const std::vector<std::pair<int, int>>& valence,
                     const Context& context = {});

}  // namespace stembridge::dft

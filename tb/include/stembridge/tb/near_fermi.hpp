// SPDX-License-Identifier: Apache-2.0
// The few levels nearest to an energy, without a full diagonalisation: for large sheets.
#pragma once

#include <Eigen/Dense>

#include "stembridge/tb/electronic_state.hpp"

namespace stembridge::tb {

/// Levels and orbitals at Gamma around an energy.
struct SelectedStates {
    Eigen::VectorXd energies;      ///< ascending, hartree
    Eigen::MatrixXd coefficients;  ///< (n_orbitals, n), c^T S c = 1
    double residual = 0;           ///< largest |H c - e S c|, hartree
};

/// The n levels nearest to an energy by shift-and-invert Lanczos: the largest eigenvalues of
/// (H - energy S)^-1 S, with sparse factors of H - energy S.
/// @param n from 1 to half of the orbitals  @param energy hartree, no level of the system itself
/// @throw InputError for n outside its range  @throw UnsupportedError when H is not real (k-points)
/// @throw ConvergenceError when the Lanczos iteration does not converge
/// @source Ericsson and Ruhe, Math. Comput. 35, 1251 (1980), doi:10.1090/S0025-5718-1980-0583502-2
SelectedStates states_near(const ElectronicState& state, int spin, double energy, int n);

}  // namespace stembridge::tb

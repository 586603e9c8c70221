// SPDX-License-Identifier: Apache-2.0
// Thermodynamic functions from vibrational frequencies: harmonic (adsorbates, cells) and ideal gas
// (molecules).
#pragma once

#include <Eigen/Dense>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Thermodynamic functions of independent harmonic oscillators, to be added to the energy of the structure at
/// rest. Hartree atomic units; entropies in units of the Boltzmann constant.
struct HarmonicThermochemistry {
    double temperature = 0;        ///< kT, hartree
    double zero_point_energy = 0;  ///< hartree
    double internal_energy = 0;    ///< zero-point energy included, hartree
    double heat_capacity = 0;      ///< k
    double entropy = 0;            ///< k
    double free_energy = 0;        ///< Helmholtz: internal energy - T S, hartree
    int left_out = 0;              ///< frequencies that are imaginary or zero: no oscillators
};

/// With x = hbar omega / kT:
///   U = sum hbar omega (1/2 + 1 / (e^x - 1)),  S / k = sum x / (e^x - 1) - ln(1 - e^-x)
/// @param frequencies hbar omega, hartree; those that are not positive are left out and counted
/// @param kT hartree, may be 0  @throw InputError when kT is negative or not finite
/// @source McQuarrie, Statistical Mechanics (1976), chapter 5
HarmonicThermochemistry harmonic_thermochemistry(const Eigen::VectorXd& frequencies, double kT);

/// State of an ideal gas of one kind of molecule.
struct IdealGasOptions {
    double temperature = 298.15 * units::kelvin;  ///< kT, hartree, > 0
    double pressure = 1e-4 * units::gigapascal;   ///< hartree/bohr^3, > 0; 1 bar
    int symmetry_number = 1;      ///< rotations that leave the molecule unchanged, e.g. 2 of H2O
    int multiplicity = 1;         ///< 2 S + 1 of the electrons
    Eigen::VectorXd masses = {};  ///< (n), electron masses; empty = standard atomic masses
};

/// Thermodynamic functions of an ideal gas of rigid rotors with harmonic vibrations, per molecule, to be
/// added to the energy of the structure at rest. Entropies in units of the Boltzmann constant.
struct IdealGasThermochemistry {
    HarmonicThermochemistry vibrations;
    double enthalpy = 0;               ///< U + kT, zero-point energy included, hartree
    double translational_entropy = 0;  ///< k
    double rotational_entropy = 0;     ///< k
    double electronic_entropy = 0;     ///< k
    double entropy = 0;                ///< all of them, k
    double gibbs_energy = 0;           ///< enthalpy - T S, hartree
};

/// Rigid rotor, harmonic oscillator, ideal gas (hbar = 1):
///   S_trans / k = ln[(m kT / 2 pi)^(3/2) kT / p] + 5/2
///   S_rot / k   = ln[sqrt(pi (2 kT)^3 I_a I_b I_c) / sigma] + 3/2, of a linear molecule ln[2 I kT / sigma] +
///   1 H           = U_vib + 3/2 kT (translation) + 3/2 kT or kT (rotation) + kT
/// @param frequencies hbar omega of the molecule's vibrations, hartree
/// @throw InputError for a periodic structure and for an option that makes no sense
/// @source McQuarrie, Statistical Mechanics (1976), chapters 5, 6 and 8
IdealGasThermochemistry ideal_gas_thermochemistry(const Structure& molecule,
                                                  const Eigen::VectorXd& frequencies,
                                                  const IdealGasOptions& options = {});

}  // namespace stembridge::md

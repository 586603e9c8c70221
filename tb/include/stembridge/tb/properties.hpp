// SPDX-License-Identifier: Apache-2.0
// What can be read off a converged SCC-DFTB calculation: populations, dipole, levels, densities of states,
// bond orders, bands.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <string>
#include <vector>

#include "stembridge/tb/electronic_state.hpp"

namespace stembridge::tb {

/// Mulliken's division of the electrons.
struct Populations {
    Eigen::VectorXd shells;   ///< electrons of each shell, (n_shells), both spins together
    Eigen::VectorXd spins;    ///< spin up minus spin down of each shell, (n_shells), or empty
    Eigen::VectorXd charges;  ///< of the atoms, (n_atoms), e, positive = electrons lost
};

/// @source Mulliken, J. Chem. Phys. 23, 1833 (1955), doi:10.1063/1.1740588
Populations populations(const ElectronicState& state);

/// Dipole moment of the atomic charges, e bohr; of an ion it is about the origin of the coordinates.
/// @throw UnsupportedError for a periodic structure, where it depends on the choice of the cell
Eigen::Vector3d dipole(const ElectronicState& state);

/// Levels and orbitals at one k-point: H c = e S c, ascending.
struct States {
    Eigen::VectorXd energies;       ///< (n_orbitals), hartree
    Eigen::MatrixXcd coefficients;  ///< (n_orbitals, n_orbitals), c^H S c = 1; empty when not asked for
};

/// @param k in fractions of the reciprocal vectors; any point, the charges stay as they are
/// @throw NumericalError when the diagonalisation fails
States states_at(const ElectronicState& state, const Eigen::Vector3d& k, int spin, bool with_coefficients);

/// All levels on the grid of k-points of the calculation, filled.
struct Spectrum {
    std::vector<std::vector<States>> states;  ///< per spin and k-point
    Occupations occupations;
};

/// Diagonalises at every k-point of the state. @throw NumericalError when that fails
Spectrum spectrum(const ElectronicState& state);

/// One level: where it is in the spectrum.
struct Level {
    double energy = 0;  ///< hartree
    int spin = 0;
    int kpoint = 0;
    int band = 0;  ///< counted from 0
};

/// Highest occupied and lowest unoccupied level of the sampled k-points; a level at least (at most) half
/// filled counts as occupied (unoccupied), a half-filled one as both.
struct Frontier {
    Level homo, lumo;
    double gap = 0;  ///< hartree, never negative
};

/// @throw InputError when all levels are full or empty
Frontier frontier(const Spectrum& spectrum);

/// Levels per energy, broadened by Gaussians; each level counts with the electrons it can hold.
struct DensityOfStates {
    struct Part {
        int element = 0;         ///< index into Basis::elements()
        int l = 0;               ///< angular momentum of the shell
        Eigen::MatrixXd values;  ///< (n_energies, n_spins), 1/hartree
    };
    Eigen::VectorXd energies;  ///< hartree
    Eigen::MatrixXd total;     ///< (n_energies, n_spins), 1/hartree
    std::vector<Part> parts;   ///< Mulliken's share of each element and shell; they add up to the total
};

/// @param energies where it is wanted, hartree  @param width standard deviation, hartree, positive
DensityOfStates density_of_states(const ElectronicState& state, const Spectrum& spectrum,
                                  const Eigen::VectorXd& energies, double width);

/// Bond orders of two atoms.
struct BondOrder {
    int i = 0, j = 0;
    std::array<int, 3> image = {0, 0, 0};  ///< lattice vectors by which atom j was moved
    double distance = 0;                   ///< bohr
    double mayer = 0;                      ///< sum of (PS)(PS), the density in the basis as it is
    double wiberg = 0;                     ///< sum of P^2 in the symmetrically orthogonalised basis
};

/// Bonds whose order (of either kind) is at least `least`; of the images of an atom that the grid of k-points
/// cannot tell apart, the nearest. With spin, the sum of the orders of both spin densities.
/// @source Mayer, Chem. Phys. Lett. 97, 270 (1983), doi:10.1016/0009-2614(83)80005-0; Wiberg, Tetrahedron 24,
/// 1083 (1968), doi:10.1016/0040-4020(68)88057-3
std::vector<BondOrder> bond_orders(const ElectronicState& state, const Spectrum& spectrum, double least);

}  // namespace stembridge::tb

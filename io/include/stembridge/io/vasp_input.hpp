// SPDX-License-Identifier: Apache-2.0
// Input sets for VASP from a structure: everything but the POTCAR, whose licence forbids to ship it.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge::io {

/// What is the same in every kind of calculation. The defaults are those of the paper this program follows:
/// PBE, 400 eV, 2 x 2 x 2 Monkhorst-Pack, 1e-3 eV/angstrom, 2000 steps of 1 fs with a Nose-Hoover thermostat.
struct VaspInputOptions {
    double cutoff_ev = 400;
    std::array<int, 3> kpoints = {2, 2, 2};
    bool kpoints_gamma_centered = false;
    double sigma_ev = 0.05;  ///< Gaussian smearing
    int dispersion = 0;      ///< IVDW: 0 none, 11 or 12 D3, ...
    bool spin_polarized = false;
    std::optional<int> unpaired;  ///< NUPDOWN; left out = free moment

    double max_force_ev_per_angstrom = 1e-3;
    int relaxation_steps = 300;

    int dynamics_steps = 2000;
    double timestep_fs = 1;
    bool keep_velocities = false;  ///< start from the velocities of the structure instead of drawing them
    bool fermi_at_temperature = false;  ///< Fermi smearing at the temperature of the ions
};

/// Rows of the POSCAR: the atoms in one block per element, C and H first, then by atomic number; within an
/// element they keep their order. @return (n) index of the atom in each row
std::vector<int> vasp_order(const Structure& structure);

/// One relaxation in `folder`: INCAR, KPOINTS, POSCAR (with selective dynamics where atoms are fixed),
/// atom_map.csv, POTCAR.spec, make_potcar.sh, check_potcar.sh, README.md.
/// @param moments (n) starting moments for a spin-polarised run, or empty = 5 on transition metals, 0
/// elsewhere
/// @throw InputError when the structure has no periodic box, or fixed axes a POSCAR cannot hold  @throw
/// FileError
void write_vasp_relaxation(const std::filesystem::path& folder, const Structure& structure,
                           const VaspInputOptions& options, const std::vector<double>& moments = {});

/// One dynamics per temperature in `folder`/300K and so on, with a README.md above them.
/// @param temperatures_k positive
void write_vasp_dynamics(const std::filesystem::path& folder, const Structure& structure,
                         const VaspInputOptions& options, const std::vector<double>& temperatures_k);

/// Spin-polarised relaxations with free moment (`folder`/free) and with each of the given numbers of unpaired
/// electrons (`folder`/unpaired-4 ...).
void write_vasp_spin_scan(const std::filesystem::path& folder, const Structure& structure,
                          const VaspInputOptions& options, const std::vector<int>& unpaired);

/// Three relaxations in the same box and with the same settings: `folder`/system (both together),
/// `folder`/sheet and `folder`/adsorbate. README.md says how the energies give the binding energy, and its
/// sign.
/// @param adsorbate indices of its atoms  @throw InputError when it is empty or everything
void write_vasp_adsorption(const std::filesystem::path& folder, const Structure& structure,
                           const std::vector<int>& adsorbate, const VaspInputOptions& options);

/// Reads atom_map.csv. @return (n) index of our atom in each POSCAR row  @throw FileError (file:line)
std::vector<int> read_vasp_atom_map(const std::filesystem::path& path);

}  // namespace stembridge::io

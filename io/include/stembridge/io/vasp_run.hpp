// SPDX-License-Identifier: Apache-2.0
// What a finished, unfinished or damaged VASP run says: vasprun.xml, OUTCAR, OSZICAR, XDATCAR, POSCAR,
// CONTCAR.
#pragma once

#include <Eigen/Dense>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge::io {

/// How far a run got.
enum class VaspStatus {
    complete,       ///< ended by itself, converged as far as the file can tell
    not_converged,  ///< ended by itself, but the ions or the electrons of the last step did not converge
    unfinished,     ///< cut off; what is there are the complete steps
    malformed       ///< damaged (several writers, zero bytes, impossible numbers): no numbers are given
};

/// "complete", "not_converged", "unfinished" or "malformed".
std::string name(VaspStatus status);

/// One complete ionic step, in the units of VASP. A number the file overflowed (****) is absent, or NaN in an
/// array.
struct VaspStep {
    std::optional<double> energy_free_ev;  ///< F, whose gradient is minus the forces
    std::optional<double> energy_zero_ev;  ///< E0, F extrapolated to no smearing
    std::optional<double> energy_ev;       ///< E, F without the entropy term
    std::optional<double> offset_ev;       ///< F minus F of the last electronic step: dispersion, when not 0
    Eigen::Matrix3d lattice_angstrom = Eigen::Matrix3d::Zero();  ///< columns
    Eigen::Matrix3Xd positions_angstrom;                         ///< (3, n) Cartesian, as in the file
    Eigen::Matrix3Xd forces_ev_per_angstrom;                     ///< (3, n), drift kept, or empty
    std::optional<Eigen::Matrix3d> stress_kbar;  ///< VASP's sign: positive = compressed, wants to expand
    std::optional<double> kinetic_ev;            ///< of the ions
    std::optional<double> conserved_ev;          ///< constant of motion of the dynamics
    std::optional<double> temperature_k;
    std::optional<double> magnetization;                   ///< number of unpaired electrons
    std::optional<double> max_free_force_ev_per_angstrom;  ///< printed by the program itself
    int n_electronic = 0;                                  ///< electronic steps; 0 = not in this file
    bool electrons_converged = true;
};

/// The settings a comparison needs, as the run used them (defaults filled in).
struct VaspSettings {
    std::optional<int> steps_wanted;        ///< NSW
    std::optional<int> ionic;               ///< IBRION
    std::optional<int> stress;              ///< ISIF
    std::optional<int> max_electronic;      ///< NELM
    std::optional<int> smearing;            ///< ISMEAR
    std::optional<int> spin;                ///< ISPIN
    std::optional<int> dispersion;          ///< IVDW
    std::optional<int> dynamics;            ///< MDALGO
    std::optional<double> cutoff_ev;        ///< ENCUT
    std::optional<double> sigma_ev;         ///< SIGMA
    std::optional<double> force_criterion;  ///< EDIFFG: negative = eV/angstrom, positive = eV
    std::optional<double> timestep_fs;      ///< POTIM of a dynamics
    std::string kpoints;                    ///< e.g. "Monkhorst-Pack 2 2 2"
    Eigen::Vector3d kpoint_shift =
        Eigen::Vector3d::Zero();              ///< of the mesh, in its steps, beyond the scheme's own
    std::optional<double> electrons;          ///< NELECT
    std::optional<double> valence_electrons;  ///< of all atoms together, of a neutral system
    std::vector<std::string> titles;          ///< TITEL of each POTCAR
};

/// Everything read from one file (and, for a folder, the flags and species of the POSCAR beside it).
struct VaspRun {
    enum class Kind { vasprun, outcar, oszicar, xdatcar, poscar };
    Kind kind = Kind::vasprun;
    std::filesystem::path file;
    VaspStatus status = VaspStatus::complete;
    std::string problem;  ///< why it is malformed: what, where
    std::string version;  ///< "5.4.4", empty when not given
    std::optional<int> n_atoms;
    std::vector<std::string> species;  ///< (n) symbols in the order of the file, empty when not given
    /// (3, n) whether the atom moves along each lattice vector; empty = everything moves, or not given.
    Eigen::Array<bool, 3, Eigen::Dynamic> free_along;
    VaspSettings settings;
    std::vector<VaspStep> steps;     ///< complete ones only; a POSCAR is one step without energies
    std::vector<std::string> notes;  ///< what the user should know

    bool is_dynamics() const { return settings.ionic == 0; }
    /// Whether the energies hold a dispersion term, as far as the file tells.
    bool has_dispersion() const;
};

/// Reads a run folder (vasprun.xml, else OUTCAR, OSZICAR, XDATCAR, CONTCAR; a POSCAR beside an OUTCAR adds
/// flags and species when its positions are those of the run) or one file, plain, gzip or xz.
/// @return damaged content is a VaspRun with status malformed
/// @throw FileError when nothing can be read  @throw InputError when the folder holds no run or the kind of
/// the file cannot be told
VaspRun read_vasp(const std::filesystem::path& path);

/// The same from a text. @param name for messages
VaspRun read_vasp_text(std::string_view text, const std::string& name, VaspRun::Kind kind);

/// Largest force on an atom over the coordinates that may move, eV/angstrom: the fixed components along
/// lattice vectors are taken out as VASP does. Nothing when a component is absent.
std::optional<double> max_free_force(const VaspRun& run, const VaspStep& step);

/// A step as a structure (periodic, with the fixed flags where they are Cartesian). @throw InputError when
/// the file names no species
Structure to_structure(const VaspRun& run, const VaspStep& step);

/// Positions of all steps without the jumps of periodic wrapping: each step is moved by lattice vectors to
/// lie nearest to the one before. @return one (3, n) per step, angstrom
std::vector<Eigen::Matrix3Xd> unwrapped_positions(const std::vector<VaspStep>& steps);

/// The numbers of a run as JSON text: status, version, n_atoms, species, n_ionic_steps, energy_zero_ev,
/// energy_free_ev, max_force_ev_per_angstrom, lattice_angstrom, positions_angstrom, temperature_k, and file,
/// problem, notes; null where the file does not give a value.
std::string to_json_text(const VaspRun& run);

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// A VASP run beside our own evaluation of the same geometries.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/io/vasp_run.hpp"
#include "stembridge/structure/calculator.hpp"

namespace stembridge::io {

/// One geometry, energies relative to the first compared one. VASP's F stands beside the Mermin free energy,
/// E0 beside the energy extrapolated to zero electronic temperature: their zeros differ, so only changes are
/// compared.
struct ComparedStep {
    int step = 0;  ///< ionic step of the run, from 1
    std::optional<double> vasp_free_ev, vasp_zero_ev;
    double ours_free_ev = 0, ours_zero_ev = 0;
    double force_rms_ev_per_angstrom = 0;  ///< over all components of the difference
    double force_max_ev_per_angstrom = 0;  ///< largest norm of the difference on an atom
    double vasp_force_rms_ev_per_angstrom = 0;
};

/// Largest and root-mean-square of something.
struct Spread {
    double rms = 0;
    double max = 0;
};

/// VASP and a calculator side by side, and how far they are apart.
struct VaspComparison {
    std::vector<ComparedStep> steps;
    std::optional<Spread> free_ev, zero_ev;  ///< of differences of relative energies; absent for one geometry
    Spread force_ev_per_angstrom;            ///< of all differences of forces
    std::optional<Spread> stress_kbar;       ///< bulk only; pressure positive
    std::optional<Spread> sheet_stress_n_per_m;  ///< in the plane, stress times height, for a sheet
    std::vector<std::string> notes;
};

/// @throw InputError naming the reason when the run cannot be compared: malformed, no complete step, no
/// forces or species in that kind of file, or dispersion on one side only
void require_comparable(const VaspRun& run, bool our_dispersion);

/// Evenly spaced steps, the first and the last among them. @param at_most 0 = all  @return indices from 0
std::vector<int> spread_steps(const VaspRun& run, int at_most);

/// @param steps indices into run.steps  @param ours our evaluation of each, in the order of its atoms
/// @throw InputError when the numbers of atoms differ
VaspComparison compare_with_vasp(const VaspRun& run, const std::vector<int>& steps,
                                 const std::vector<Evaluation>& ours);

/// How far one of our structures lies from the last step of a run.
struct GeometryDifference {
    Spread displacement_angstrom;  ///< after the common shift is taken out, across the nearest images
    int farthest_atom = 0;         ///< of our structure, from 0
    double strain = 0;             ///< largest element of A_ours A_run^-1 - 1; 0 where ours does not repeat
};

/// @param atom_of_row index of our atom in each row of the run
/// @throw InputError when the atoms differ in number or species
GeometryDifference compare_geometry(const VaspRun& run, const Structure& ours,
                                    const std::vector<int>& atom_of_row);

/// What a trajectory shows over a window of time.
struct TrajectorySummary {
    int n_frames = 0;
    double length_fs = 0;
    std::optional<double> mean_temperature_k;
    std::optional<double> drift_mev_per_atom_per_ps;  ///< slope of the conserved quantity
    std::vector<double> distances;  ///< pairs per atom and angstrom, bins of 0.05 angstrom from 0 to 6
};

/// A trajectory as a series. Arrays have one entry per frame; those that are not known are empty.
struct TrajectorySeries {
    std::vector<double> times_fs, temperatures_k, conserved_ev;
    std::vector<Structure> frames;  ///< as many as are wanted for the distances
    int n_atoms = 0;
};

/// The dynamics of a run. @throw InputError when it is none, or its time step is not given
TrajectorySeries series_of(const VaspRun& run);

/// @param window_fs what lies later is left out
TrajectorySummary summarise(const TrajectorySeries& series, double window_fs);

/// Share of two distributions of distances that coincides: 1 = equal, 0 = nothing in common.
double overlap(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace stembridge::io

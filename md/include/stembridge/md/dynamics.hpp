// SPDX-License-Identifier: Apache-2.0
// Molecular dynamics: at constant energy, or in a heat bath of constant or changing temperature.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/md/temperature_schedule.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// How to move the atoms. Hartree atomic units, temperatures as kT.
struct DynamicsOptions {
    /// "nve"; canonical: "nvt" (Nose-Hoover chain), "langevin", "bussi" (stochastic velocity rescaling); to
    /// reach a temperature, not to take averages at it: "berendsen", "rescale" (to the exact temperature)
    std::string ensemble = "nvt";
    double timestep = units::femtosecond;      ///< atomic time units
    double temperature = 300 * units::kelvin;  ///< kT of the bath and of the first velocities, hartree
    double thermostat_period = 40 * units::femtosecond;  ///< of the Nose-Hoover chain, atomic time units
    /// Temperature of the bath over the time of the run; empty = always `temperature`.
    std::vector<TemperaturePoint> schedule = {};
    /// kT of the first velocities; left out = that of the bath at the start.
    std::optional<double> start_temperature = std::nullopt;
    double thermostat_time = 100 * units::femtosecond;  ///< tau of Berendsen and Bussi, atomic time units
    int rescale_every = 1;                              ///< steps between velocity rescalings
    int chain_length = 3;
    int chain_substeps = 1;                       ///< n_resn: cuts of each half step of the chain
    int suzuki_yoshida_order = 3;                 ///< factors per cut: 1, 3 or 5
    double friction = 0.01 / units::femtosecond;  ///< of Langevin dynamics, 1/atomic time unit
    /// Holds the centre of mass at rest along every axis on which no atom is fixed. Off when the energy is
    /// not the same after a translation (an external field). Langevin dynamics never holds it.
    bool hold_center_of_mass = true;
    /// Also keeps a free cluster from rotating (nothing periodic, nothing fixed).
    bool hold_rotation = false;
    /// Scales first velocities that are drawn to exactly the temperature asked for.
    bool exact_start_temperature = false;
    /// An atom that moves further than this in one step ends the run, bohr.
    double largest_move = 1.0;
};

/// Period of an oscillation given as a wavenumber. @param wavenumber hartree, > 0 @return atomic time units
double period_of_wavenumber(double wavenumber);

/// What is worth a line in a table, at one instant. Hartree atomic units.
struct DynamicsObservables {
    std::int64_t step = 0;
    double time = 0;         ///< atomic time units
    double energy = 0;       ///< whose gradient the forces are, hartree
    double energy_zero = 0;  ///< extrapolated to zero electronic temperature, hartree
    double kinetic = 0;      ///< hartree
    double temperature = 0;  ///< kT = 2 kinetic / degrees of freedom, hartree
    double target = 0;       ///< kT of the bath at this instant, hartree
    double conserved = 0;    ///< constant of the exact motion, hartree
    int self_consistency_steps = 0;
};

/// Velocities from the Maxwell-Boltzmann distribution for the free coordinates; fixed ones are zero.
/// @param kT hartree  @param seed same seed, same velocities
/// @param hold_center_of_mass takes out the total momentum along axes on which no atom is fixed
/// @param hold_rotation takes out the angular momentum of a free cluster
/// @param exact scales to exactly kT  @return (3, n), bohr per atomic time unit
Eigen::Matrix3Xd maxwell_boltzmann_velocities(const Structure& structure, double kT, std::uint64_t seed,
                                              bool hold_center_of_mass = true, bool hold_rotation = false,
                                              bool exact = false);

/// Coordinates that can take up heat: free ones, less the motions that are held.
int degrees_of_freedom(const Structure& structure, bool hold_center_of_mass, bool hold_rotation);

/// The names that DynamicsOptions::ensemble takes.
const std::vector<std::string>& ensembles();

/// Dynamics of a structure, one time step at a time. Fixed coordinates are never written to. A run restored
/// from save() continues to the same bits. Conserved quantity:
///   NVE     E_kin + F
///   NVT     E_kin + F + sum_j Q_j v_j^2 / 2 + integral of N_f kT dx_1 + sum_{j>1} kT dx_j
///   others  E_kin + F - heat taken from the bath
/// A bath that scales velocities cannot move atoms that are at rest: with a start temperature below 1 K the
/// first velocities are drawn at 1 K then.
/// @source Martyna, Tuckerman, Tobias, Klein, Mol. Phys. 87, 1117 (1996)
/// @source Langevin (BAOAB): Leimkuhler, Matthews, Appl. Math. Res. Express 2013, 34 (2013)
/// @source Berendsen, Postma, van Gunsteren, DiNola, Haak, J. Chem. Phys. 81, 3684 (1984)
/// @source Stochastic rescaling: Bussi, Donadio, Parrinello, J. Chem. Phys. 126, 014101 (2007), equation A7;
/// sign: Bussi, Parrinello, Comput. Phys. Commun. 179, 26 (2008), equation A8
class MolecularDynamics {
  public:
    /// Takes the velocities of the structure, or draws them when it has none.
    /// @param calculator must outlive this object  @param context seed of velocities and bath, log, stop
    /// token
    /// @throw InputError when an option makes no sense, the structure is empty or inconsistent, or nothing
    /// can move
    MolecularDynamics(Structure structure, Calculator& calculator, DynamicsOptions options,
                      Context context = {});
    ~MolecularDynamics();
    MolecularDynamics(MolecularDynamics&&) noexcept;
    MolecularDynamics& operator=(MolecularDynamics&&) noexcept;

    /// One time step. On a throw, positions, velocities and thermostat are those of the last complete step.
    /// @throw NumericalError when energy or forces are not finite or an atom moves further than
    /// `largest_move`  @throw ConvergenceError of the calculator
    void step();
    /// Steps until step_count() reaches `last_step` or the stop token is set; the observer is called after
    /// every step. @return false when stopped
    bool run(std::int64_t last_step, const std::function<void(const DynamicsObservables&)>& observer = {});

    /// At the present instant; evaluates the forces of the start structure when no step was done yet.
    DynamicsObservables observables();
    /// Positions (never wrapped into the cell) and velocities at the present instant.
    const Structure& structure() const;
    /// Energy, forces, charges of structure(); empty before the first step() or observables().
    const Evaluation& evaluation() const;
    std::int64_t step_count() const;
    int degrees_of_freedom() const;

    /// Everything needed to continue, the calculator's memory included.
    State save() const;
    /// @throw FileError when the state belongs to another structure or ensemble
    void restore(const State& state);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace stembridge::md

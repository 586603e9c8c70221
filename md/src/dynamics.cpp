// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/dynamics.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "checked_evaluation.hpp"
#include "checkpoint.hpp"
#include "coordinates.hpp"
#include "rigid_motion.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/md/observables.hpp"
#include "thermostats.hpp"

namespace stembridge::md {
namespace {

void require(bool sensible, const char* message) {
    if (!sensible) throw InputError(message);
}

TemperatureSchedule schedule_of(const DynamicsOptions& o) {
    return o.schedule.empty() ? TemperatureSchedule(o.temperature) : TemperatureSchedule(o.schedule);
}

void check(const DynamicsOptions& o) {
    if (std::find(ensembles().begin(), ensembles().end(), o.ensemble) == ensembles().end())
        throw InputError(
            fmt::format("ensemble '{}' is unknown; accepted: {}", o.ensemble, fmt::join(ensembles(), ", ")));
    require(o.timestep > 0, "the time step must be positive");
    require(o.temperature >= 0, "the temperature must not be negative");
    require(o.largest_move > 0, "the largest move in one step must be positive");
    if (o.ensemble == "nvt") {
        require(schedule_of(o).highest() > 0, "a Nose-Hoover chain needs a temperature above zero");
        require(o.thermostat_period > 4 * o.timestep,
                "the period of the thermostat must be longer than four time steps");
        require(o.chain_length > 0 && o.chain_substeps > 0,
                "the Nose-Hoover chain needs at least one thermostat and one substep");
    }
    if (o.ensemble == "langevin") require(o.friction > 0, "the friction must be positive");
    if (o.ensemble == "berendsen" || o.ensemble == "bussi")
        require(o.thermostat_time >= o.timestep,
                "the time constant of the bath must be at least one time step");
    require(o.rescale_every > 0, "the steps between velocity rescalings must be at least one");
    require(!o.start_temperature || *o.start_temperature >= 0,
            "the temperature of the first velocities must not be negative");
}

/// Below this, baths that only scale velocities get nothing to scale.
constexpr double least_start_temperature = 1 * units::kelvin;

// The bath's random numbers must not repeat those of the first velocities.
constexpr std::uint64_t bath_stream = 0x62617468;

}  // namespace

const std::vector<std::string>& ensembles() {
    static const std::vector<std::string> names = {"nvt", "nve", "langevin", "berendsen", "bussi", "rescale"};
    return names;
}

double period_of_wavenumber(double wavenumber) {
    require(wavenumber > 0, "a wavenumber must be positive");
    return 2 * std::numbers::pi / wavenumber;  // E = hbar omega, hbar = 1
}

int degrees_of_freedom(const Structure& structure, bool hold_center_of_mass, bool hold_rotation) {
    return FreeCoordinates(structure).size() -
           RigidMotion(structure, hold_center_of_mass, hold_rotation).count();
}

Eigen::Matrix3Xd maxwell_boltzmann_velocities(const Structure& structure, double kT, std::uint64_t seed,
                                              bool hold_center_of_mass, bool hold_rotation, bool exact) {
    const FreeCoordinates free(structure);
    const Eigen::VectorXd masses = structure.masses();
    Structure moving = structure;
    moving.velocities = Eigen::Matrix3Xd::Zero(3, structure.size());
    Random random(seed);
    // <m v^2> = kT
    for (const auto& [axis, atom] : free)
        moving.velocities(axis, atom) = std::sqrt(kT / masses(atom)) * random.normal();
    const RigidMotion held(structure, hold_center_of_mass, hold_rotation);
    held.remove(structure.positions, moving.velocities);
    if (exact) {
        const double present = kinetic_temperature(kinetic_energy(moving), free.size() - held.count());
        if (present > 0) moving.velocities *= std::sqrt(kT / present);
    }
    return moving.velocities;
}

struct MolecularDynamics::Implementation {
    Structure structure;
    Calculator* calculator;
    DynamicsOptions options;
    Context context;
    FreeCoordinates free;
    RigidMotion held;
    int n_f;
    Eigen::VectorXd masses;

    Evaluation evaluation;
    bool evaluated = false;
    std::int64_t steps = 0;
    double time = 0;
    TemperatureSchedule schedule;
    std::unique_ptr<Thermostat> thermostat;  // none at constant energy
    Random random;

    Implementation(Structure start, Calculator& model, DynamicsOptions o, Context c)
        : structure(std::move(start)),
          calculator(&model),
          options(std::move(o)),
          context(std::move(c)),
          free(structure),
          held(structure, false, false),
          n_f(0),
          masses(structure.masses()),
          schedule(schedule_of(options)),
          random(context.seed ^ bath_stream) {
        check(options);
        require(structure.size() > 0, "a structure without atoms has no dynamics");
        structure.validate();
        if (options.ensemble == "langevin")  // exchanges momentum with its bath
            options.hold_center_of_mass = options.hold_rotation = false;
        held = RigidMotion(structure, options.hold_center_of_mass, options.hold_rotation);
        n_f = free.size() - held.count();
        require(n_f > 0,
                "nothing can move: every coordinate is fixed or held (a single atom needs the centre of mass "
                "not to be held)");
        thermostat = make_thermostat(options, n_f, schedule.highest());
        start_velocities();
    }

    void start_velocities() {
        if (structure.velocities.cols() == 0) {
            double kT = options.start_temperature.value_or(schedule.at(0));
            if (only_scales_velocities(options.ensemble)) kT = std::max(kT, least_start_temperature);
            structure.velocities =
                maxwell_boltzmann_velocities(structure, kT, context.seed, options.hold_center_of_mass,
                                             options.hold_rotation, options.exact_start_temperature);
            return;
        }
        if (!structure.velocities.allFinite())
            throw InputError("structure has a velocity that is not a finite number");
        for (int atom = 0; atom < structure.size(); ++atom)
            for (int axis = 0; axis < 3; ++axis)
                if (structure.is_fixed(axis, atom)) structure.velocities(axis, atom) = 0;
        held.remove(structure.positions, structure.velocities);
    }

    double kinetic() const { return kinetic_energy(structure); }

    [[noreturn]] void refuse(const std::string& what) const {
        throw NumericalError(
            fmt::format("{} are not finite numbers after step {} of the dynamics ({:.2f} fs); use a time "
                        "step smaller than "
                        "{:.3g} fs, or relax the structure first",
                        what, steps, time / units::femtosecond, options.timestep / units::femtosecond));
    }

    void evaluate() {
        Evaluation result;
        calculator->evaluate(structure, {.forces = true, .stress = false}, result, context);
        if (!is_finite(result, *calculator, structure.size()))
            refuse("energy or forces of " + calculator->description());
        evaluation = std::move(result);
        evaluated = true;
    }

    /// v <- v + dt F / m, less the motion that is held
    void kick(double dt) {
        for (const auto& [axis, atom] : free)
            structure.velocities(axis, atom) += dt * evaluation.forces(axis, atom) / masses(atom);
        held.remove(structure.positions, structure.velocities);
    }
    /// x <- x + dt v
    void drift(double dt) {
        for (const auto& [axis, atom] : free)
            structure.positions(axis, atom) += dt * structure.velocities(axis, atom);
    }
    void check_moves(const Eigen::Matrix3Xd& before) const {
        for (int atom = 0; atom < structure.size(); ++atom) {
            const double move = (structure.positions.col(atom) - before.col(atom)).norm();
            if (move <= options.largest_move) continue;
            throw NumericalError(fmt::format(
                "atom {} ({}) moved by {:.3g} angstrom in step {} of the dynamics ({:.2f} fs), more than "
                "{:.3g}; use a time step smaller than {:.3g} fs, or relax the structure first",
                atom + 1, element_symbol(structure.atomic_numbers[static_cast<std::size_t>(atom)]),
                move / units::angstrom, steps + 1, time / units::femtosecond,
                options.largest_move / units::angstrom, options.timestep / units::femtosecond));
        }
    }

    void integrate() {
        const double dt = options.timestep;
        const Eigen::Matrix3Xd before = structure.positions;
        ThermalMotion atoms = {structure, free, masses, n_f, random, dt};
        if (thermostat) thermostat->begin(atoms, schedule.at(time));
        kick(dt / 2);
        if (thermostat && thermostat->cuts_drift()) {
            drift(dt / 2);
            thermostat->between_drifts(atoms, schedule.at(time + dt / 2));
            drift(dt / 2);
        } else {
            drift(dt);
        }
        check_moves(before);
        evaluate();
        kick(dt / 2);
        if (thermostat) thermostat->end(atoms, schedule.at(time + dt), steps + 1);
        if (!std::isfinite(kinetic())) refuse("the velocities");
    }

    void step() {
        if (!evaluated) evaluate();
        const Eigen::Matrix3Xd positions = structure.positions, velocities = structure.velocities;
        auto old_thermostat = thermostat ? thermostat->clone() : nullptr;
        const Random old_random = random;
        try {
            integrate();
        } catch (...) {
            structure.positions = positions;
            structure.velocities = velocities;
            thermostat = std::move(old_thermostat);
            random = old_random;
            throw;
        }
        ++steps;
        time += options.timestep;
    }

    DynamicsObservables observables() {
        if (!evaluated) evaluate();
        DynamicsObservables now;
        now.step = steps;
        now.time = time;
        now.energy = evaluation.energy;
        now.energy_zero = evaluation.energy_zero;
        now.kinetic = kinetic();
        now.temperature = kinetic_temperature(now.kinetic, n_f);
        now.target = schedule.at(time);
        now.conserved = now.kinetic + now.energy + (thermostat ? thermostat->energy() : 0);
        now.self_consistency_steps = evaluation.iterations;
        return now;
    }
};

MolecularDynamics::MolecularDynamics(Structure structure, Calculator& calculator, DynamicsOptions options,
                                     Context context)
    : implementation_(std::make_unique<Implementation>(std::move(structure), calculator, std::move(options),
                                                       std::move(context))) {}
MolecularDynamics::~MolecularDynamics() = default;
MolecularDynamics::MolecularDynamics(MolecularDynamics&&) noexcept = default;
MolecularDynamics& MolecularDynamics::operator=(MolecularDynamics&&) noexcept = default;

void MolecularDynamics::step() {
    implementation_->step();
}

bool MolecularDynamics::run(std::int64_t last_step,
                            const std::function<void(const DynamicsObservables&)>& observer) {
    while (step_count() < last_step) {
        if (implementation_->context.stop_requested()) return false;
        step();
        if (observer) observer(observables());
    }
    return true;
}

DynamicsObservables MolecularDynamics::observables() {
    return implementation_->observables();
}

const Structure& MolecularDynamics::structure() const {
    return implementation_->structure;
}

const Evaluation& MolecularDynamics::evaluation() const {
    return implementation_->evaluation;
}

std::int64_t MolecularDynamics::step_count() const {
    return implementation_->steps;
}

int MolecularDynamics::degrees_of_freedom() const {
    return implementation_->n_f;
}

State MolecularDynamics::save() const {
    const Implementation& self = *implementation_;
    State state;
    state.put("ensemble", self.options.ensemble);
    state.put_all("structure", state_of(self.structure));
    state.put("velocities", self.structure.velocities);
    if (self.evaluated) state.put_all("evaluation", state_of(self.evaluation));
    state.put_all("calculator", self.calculator->save());
    if (self.thermostat) state.put_all("thermostat", self.thermostat->save());
    std::vector<std::int64_t> words;
    for (const std::uint64_t word : self.random.state()) words.push_back(std::bit_cast<std::int64_t>(word));
    state.put("random", words);
    state.put("steps", self.steps);
    state.put("time", self.time);
    state.put("evaluated", std::int64_t{self.evaluated});
    return state;
}

void MolecularDynamics::restore(const State& state) {
    Implementation& self = *implementation_;
    const auto& ensemble = state.get<std::string>("ensemble");
    if (ensemble != self.options.ensemble)
        throw FileError(fmt::format("the checkpoint was written in the ensemble {}, this run is {}", ensemble,
                                    self.options.ensemble));
    const auto& words = state.get<std::vector<std::int64_t>>("random");
    const Eigen::Matrix3Xd velocities = state.matrix("velocities", 3);
    if (words.size() != 4 || velocities.cols() != self.structure.size())
        throw FileError("the checkpoint is not one of this dynamics");
    restore_positions(state.part("structure"), self.structure);
    self.structure.velocities = velocities;
    self.evaluated = state.integer("evaluated") != 0;
    self.evaluation = self.evaluated ? evaluation_of(state.part("evaluation")) : Evaluation{};
    if (self.thermostat) self.thermostat->restore(state.part("thermostat"));
    std::array<std::uint64_t, 4> random{};
    for (std::size_t k = 0; k < 4; ++k) random[k] = std::bit_cast<std::uint64_t>(words[k]);
    self.random.set_state(random);
    self.steps = state.integer("steps");
    self.time = state.number("time");
    self.calculator->restore(state.part("calculator"));
}

}  // namespace stembridge::md

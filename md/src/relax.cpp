// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/relax.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "cell_coordinates.hpp"
#include "checked_evaluation.hpp"
#include "checkpoint.hpp"
#include "coordinates.hpp"
#include "fire.hpp"
#include "lbfgs.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"

namespace stembridge::md {
namespace {

// Shorter steps tried where the self-consistency fails.
constexpr int most_failures = 2;
// Errors of the forces that do no harm on the way: this share of the largest one before.
constexpr double accuracy_on_the_way = 0.02;

void require(bool sensible, const char* message) {
    if (!sensible) throw InputError(message);
}

void check(const RelaxOptions& o) {
    if (o.method != "auto" && o.method != "fire" && o.method != "lbfgs")
        throw InputError(
            fmt::format("relaxation method '{}' is unknown; accepted: auto, fire, lbfgs", o.method));
    require(o.max_force > 0, "the force at which a relaxation ends must be positive");
    require(o.max_steps > 0, "a relaxation needs at least one step");
    require(o.max_step_length > 0, "the longest step of a relaxation must be positive");
    require(o.memory > 0, "L-BFGS needs a memory of at least one pair");
    require(o.flat_perturbation >= 0, "the perturbation of a flat structure must not be negative");
    require(o.energy_noise >= 0, "the noise of the energy must not be negative");
}

bool is_flat(const Structure& structure) {
    const auto z = structure.positions.row(2);
    return structure.size() > 1 && z.maxCoeff() - z.minCoeff() < 1e-6;
}

}  // namespace

std::string to_string(RelaxStatus status) {
    switch (status) {
        case RelaxStatus::running:
            return "running";
        case RelaxStatus::converged:
            return "converged";
        case RelaxStatus::out_of_steps:
            return "out_of_steps";
        case RelaxStatus::stalled:
            return "stalled";
        case RelaxStatus::stopped:
            return "stopped";
    }
    throw std::logic_error("relaxation status out of range");
}

double max_free_force(const Structure& structure, const Eigen::Matrix3Xd& forces) {
    const FreeCoordinates free(structure);
    return free.largest(free.gather(forces));
}

struct Relaxation::Implementation {
    Structure structure;  // the last accepted one
    Calculator* calculator;
    RelaxOptions options;
    Context context;
    CellCoordinates cell;
    FreeCoordinates free;
    bool perturbed = false;

    Evaluation evaluation;  // of structure
    RelaxStatus status = RelaxStatus::running;
    int fire_steps = 0, lbfgs_steps = 0, steps = 0;
    std::string method;  // of the optimizer at work
    bool fire_for_good = false;
    std::unique_ptr<Optimizer> optimizer;
    RelaxStep last;

    Implementation(Structure start, Calculator& model, RelaxOptions o, Context c)
        : structure(std::move(start)),
          calculator(&model),
          options(std::move(o)),
          context(std::move(c)),
          cell(structure, options.cell),
          free(structure, cell.columns()) {
        check(options);
        require(structure.size() > 0, "a structure without atoms cannot be relaxed");
        structure.validate();
        structure.velocities.resize(3, 0);  // it comes to rest
        if (cell.any() && !calculator->offers(structure).stress)
            throw InputError(fmt::format("the cell cannot relax: {} gives no stress for this structure",
                                         calculator->description()));
        perturb_if_flat();
        use(options.method == "lbfgs" ? "lbfgs" : "fire");
    }

    void perturb_if_flat() {
        if (options.flat_perturbation == 0 || !is_flat(structure)) return;
        Random random(context.seed);
        for (const auto& [axis, atom] : FreeCoordinates(structure))
            if (axis == 2) {
                structure.positions(2, atom) +=
                    random.uniform(-options.flat_perturbation, options.flat_perturbation);
                perturbed = true;
            }
        if (perturbed)
            context.info(
                fmt::format("the structure is flat: every free z was shifted at random by at most "
                            "{:.3g} angstrom, so that it can buckle",
                            options.flat_perturbation / units::angstrom));
    }

    void use(const std::string& name) {
        method = name;
        if (name == "fire")
            optimizer = std::make_unique<Fire>(free, 0.5 * options.max_step_length);
        else
            optimizer =
                std::make_unique<Lbfgs>(free, options.max_step_length, options.memory, options.precondition,
                                        options.energy_noise * structure.size());
    }

    Eigen::VectorXd gradient(const Structure& where, const Evaluation& at) const {
        return free.gather(cell.gradient(where, at));
    }

    Structure moved_by(const Eigen::VectorXd& displacement) const {
        Structure moved = structure;
        if (!cell.any()) {
            free.add_to(moved.positions, displacement);
            return moved;
        }
        Eigen::Matrix3Xd by = Eigen::Matrix3Xd::Zero(3, free.n_columns());
        free.add_to(by, displacement);
        cell.move(moved, by);
        return moved;
    }

    /// @param force_accuracy see Wanted, hartree/bohr
    Evaluation evaluate(const Structure& at, double force_accuracy) const {
        Evaluation result;
        calculator->evaluate(at, {.forces = true, .stress = cell.any(), .force_accuracy = force_accuracy},
                             result, context);
        if (!is_finite(result, *calculator, at.size(), cell.any()))
            throw NumericalError(
                fmt::format("energy or forces of {} are not finite numbers in relaxation step {}: look for "
                            "atoms that are too close to each other",
                            calculator->description(), steps + 1));
        return result;
    }

    /// False when the self-consistency fails and a shorter step of L-BFGS may help.
    bool try_to_evaluate(const Structure& at, double force_accuracy, Evaluation& result, int failures) const {
        const State before = calculator->save();
        try {
            result = evaluate(at, force_accuracy);
            return true;
        } catch (const ConvergenceError& error) {
            if (method == "fire" || failures >= most_failures) throw;
            context.warning(fmt::format("{}: trying a shorter step", error.what()));
            calculator->restore(before);  // charges that failed are no start for the next ones
            return false;
        }
    }

    /// A self-consistency that had to raise the electronic temperature gives energies of another surface,
    /// which cannot be compared with the one before: what is colder is evaluated anew. A calculator keeps the
    /// temperature that its atoms have needed once.
    void bring_to_one_temperature(const Structure& moved, double force_accuracy, Evaluation& trial) {
        while (evaluation.electronic_temperature != trial.electronic_temperature) {
            const bool trial_is_warmer = evaluation.electronic_temperature < trial.electronic_temperature;
            Evaluation& colder = trial_is_warmer ? evaluation : trial;
            const int so_far = trial.iterations;
            colder = evaluate(trial_is_warmer ? structure : moved, force_accuracy);
            trial.iterations = so_far + colder.iterations;
        }
    }

    RelaxStep step() {
        if (status == RelaxStatus::converged || status == RelaxStatus::out_of_steps ||
            status == RelaxStatus::stalled)
            return last;
        status = RelaxStatus::running;
        RelaxStep now;
        Verdict verdict = Verdict::accept;
        Evaluation trial;
        if (steps == 0) {
            trial = evaluate(structure, 0);
            now.method = "start";
            evaluation = trial;
            now.max_force = free.largest(gradient(structure, trial));
        } else {
            Eigen::VectorXd old_gradient = gradient(structure, evaluation);
            const double force_accuracy = accuracy_on_the_way * free.largest(old_gradient);
            Eigen::VectorXd displacement = optimizer->propose(structure, old_gradient);
            Structure moved = moved_by(displacement);
            for (int failures = 0; !try_to_evaluate(moved, force_accuracy, trial, failures); ++failures) {
                optimizer->judge(old_gradient, old_gradient, std::numeric_limits<double>::infinity(), 0);
                displacement = optimizer->propose(structure, old_gradient);
                moved = moved_by(displacement);
            }
            // This may be the end: charges that are not exact (a residual tells) go on to what the options
            // say.
            if (free.largest(gradient(moved, trial)) <= options.max_force && trial.residual > 0) {
                const int so_far = trial.iterations;
                trial = evaluate(moved, 0);
                trial.iterations += so_far;
            }
            bring_to_one_temperature(moved, force_accuracy, trial);
            old_gradient = gradient(structure, evaluation);
            const Eigen::VectorXd new_gradient = gradient(moved, trial);
            now.max_force = free.largest(new_gradient);
            verdict = optimizer->judge(old_gradient, new_gradient, trial.energy - evaluation.energy,
                                       trial.energy_bound + evaluation.energy_bound);
            if (verdict == Verdict::accept) {
                structure = moved;
                evaluation = trial;
            }
            now.method = method;
            now.largest_move = free.largest(displacement);
            ++(method == "fire" ? fire_steps : lbfgs_steps);
        }
        ++steps;
        now.step = steps;
        now.accepted = verdict == Verdict::accept;
        now.energy = trial.energy;
        now.energy_zero = trial.energy_zero;
        now.self_consistency_steps = trial.iterations;
        last = now;
        decide(verdict, free.largest(gradient(structure, evaluation)));
        return now;
    }

    /// The end of a restored relaxation may be another one than it was saved for.
    void end_or_go_on() {
        if (steps == 0) return;
        if (free.largest(gradient(structure, evaluation)) <= options.max_force)
            status = RelaxStatus::converged;
        else if (status != RelaxStatus::stalled)
            status = steps >= options.max_steps ? RelaxStatus::out_of_steps : RelaxStatus::running;
    }

    /// What happens after a step: end, go on, or change the method.
    void decide(Verdict verdict, double largest_force) {
        if (largest_force <= options.max_force) {
            status = RelaxStatus::converged;
        } else if (verdict == Verdict::give_up && options.method != "auto") {
            status = RelaxStatus::stalled;
            context.warning(fmt::format(
                "L-BFGS finds no step that lowers the energy at a force of {:.2e} eV/angstrom: the noise of "
                "energy and forces is too large, e.g. the self-consistency too loose",
                largest_force / units::electronvolt_per_angstrom));
        } else if (steps >= options.max_steps) {
            status = RelaxStatus::out_of_steps;
        } else if (verdict == Verdict::give_up) {
            context.warning("L-BFGS finds no step that lowers the energy: going on with FIRE");
            fire_for_good = true;
            use("fire");
        } else if (options.method == "auto" && method == "fire" && !fire_for_good &&
                   largest_force <= options.switch_force) {
            context.debug("going from FIRE to L-BFGS");
            use("lbfgs");
        }
    }
};

Relaxation::Relaxation(Structure structure, Calculator& calculator, RelaxOptions options, Context context)
    : implementation_(std::make_unique<Implementation>(std::move(structure), calculator, std::move(options),
                                                       std::move(context))) {}
Relaxation::~Relaxation() = default;
Relaxation::Relaxation(Relaxation&&) noexcept = default;
Relaxation& Relaxation::operator=(Relaxation&&) noexcept = default;

RelaxStep Relaxation::step() {
    return implementation_->step();
}

RelaxResult Relaxation::run(const std::function<void(const RelaxStep&)>& observer) {
    while (!finished()) {
        if (implementation_->context.stop_requested()) {
            implementation_->status = RelaxStatus::stopped;
            break;
        }
        const RelaxStep now = step();
        if (observer) observer(now);
    }
    return result();
}

bool Relaxation::finished() const {
    return status() != RelaxStatus::running && status() != RelaxStatus::stopped;
}

RelaxStatus Relaxation::status() const {
    return implementation_->status;
}

const Structure& Relaxation::structure() const {
    return implementation_->structure;
}

RelaxResult Relaxation::result() const {
    const Implementation& self = *implementation_;
    RelaxResult result;
    result.status = self.status;
    result.steps = self.steps;
    result.fire_steps = self.fire_steps;
    result.lbfgs_steps = self.lbfgs_steps;
    if (self.steps > 0) result.max_force = self.free.largest(self.gradient(self.structure, self.evaluation));
    result.strain = self.cell.strain(self.structure);
    result.evaluation = self.evaluation;
    result.perturbed = self.perturbed;
    return result;
}

State Relaxation::save() const {
    const Implementation& self = *implementation_;
    State state;
    state.put_all("structure", state_of(self.structure));
    if (self.cell.any()) state.put("cell", self.structure.cell.vectors);
    if (self.steps > 0) state.put_all("evaluation", state_of(self.evaluation));
    if (self.free.size() > 0) state.put_all("optimizer", self.optimizer->save());
    state.put_all("calculator", self.calculator->save());
    state.put("method", self.method);
    state.put("steps", std::vector<std::int64_t>{self.steps, self.fire_steps, self.lbfgs_steps});
    state.put("status", static_cast<std::int64_t>(self.status));
    state.put("fire_for_good", std::int64_t{self.fire_for_good});
    state.put("perturbed", std::int64_t{self.perturbed});
    return state;
}

void Relaxation::restore(const State& state) {
    Implementation& self = *implementation_;
    const auto& steps = state.get<std::vector<std::int64_t>>("steps");
    const auto status = state.integer("status");
    const auto& method = state.get<std::string>("method");
    if (steps.size() != 3 || status < 0 || status > static_cast<std::int64_t>(RelaxStatus::stopped) ||
        (method != "fire" && method != "lbfgs"))
        throw FileError("the checkpoint is not one of a relaxation");
    if (state.has("cell") != self.cell.any())
        throw FileError("the checkpoint was written by a relaxation with another choice for the cell");
    restore_positions(state.part("structure"), self.structure);
    if (self.cell.any()) self.structure.cell.vectors = state.matrix("cell", 3);
    self.steps = static_cast<int>(steps[0]);
    self.fire_steps = static_cast<int>(steps[1]);
    self.lbfgs_steps = static_cast<int>(steps[2]);
    self.status = static_cast<RelaxStatus>(status);
    self.fire_for_good = state.integer("fire_for_good") != 0;
    self.perturbed = state.integer("perturbed") != 0;
    self.evaluation = self.steps > 0 ? evaluation_of(state.part("evaluation")) : Evaluation{};
    self.end_or_go_on();
    self.use(method);
    if (self.free.size() > 0) self.optimizer->restore(state.part("optimizer"));
    self.calculator->restore(state.part("calculator"));
    self.last = {};
    self.last.step = self.steps;
}

RelaxResult relax(Structure& structure, Calculator& calculator, const RelaxOptions& options,
                  const std::function<void(const RelaxStep&)>& observer, const Context& context) {
    Relaxation relaxation(structure, calculator, options, context);
    RelaxResult result = relaxation.run([&](const RelaxStep& now) {
        structure = relaxation.structure();
        if (observer) observer(now);
    });
    structure = relaxation.structure();
    return result;
}

}  // namespace stembridge::md

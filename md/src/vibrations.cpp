// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/vibrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "checked_evaluation.hpp"
#include "checkpoint.hpp"
#include "coordinates.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::md {
namespace {

/// Atoms closer than this to a line (mass-weighted, bohr) do not resist a rotation about it.
constexpr double off_the_line = 0.01;

Eigen::VectorXd masses_of(const Structure& structure, const Eigen::VectorXd& masses) {
    if (masses.size() == 0) return structure.masses();
    if (masses.size() != structure.size())
        throw InputError(fmt::format("{} masses were given for {} atoms", masses.size(), structure.size()));
    if (!masses.allFinite() || masses.minCoeff() <= 0) throw InputError("every mass must be positive");
    return masses;
}

/// Masses of the free coordinates.
Eigen::VectorXd coordinate_masses(const FreeCoordinates& free, const Eigen::VectorXd& masses) {
    return free.gather(masses.transpose().replicate(3, 1));
}

/// Translations and, of a cluster, rotations about the centre of mass, as orthonormal columns in
/// mass-weighted coordinates of all atoms, (3 n, at most 6).
Eigen::MatrixXd translations_and_rotations(const Structure& structure, const Eigen::VectorXd& masses) {
    const int n = structure.size();
    Eigen::MatrixXd motions(3 * n, 6);
    int count = 0;
    const Eigen::RowVectorXd root_mass = masses.cwiseSqrt().transpose();
    const auto add = [&](const Eigen::Matrix3Xd& motion) {
        const Eigen::Matrix3Xd weighted = motion * root_mass.asDiagonal();
        motions.col(count++) = weighted.reshaped().normalized();
    };
    for (int axis = 0; axis < 3; ++axis) add(Eigen::Vector3d::Unit(axis).replicate(1, n));
    if (!structure.cell.is_periodic()) {
        // u x r, with the principal axes u: so they are orthogonal to each other. The smallest moments come
        // first.
        const Inertia body = inertia(structure, masses);
        for (int k = 3 - body.rotations; k < 3; ++k) {
            Eigen::Matrix3Xd motion(3, n);
            for (int atom = 0; atom < n; ++atom)
                motion.col(atom) = body.axes.col(k).cross(structure.positions.col(atom) - body.center);
            add(motion);
        }
    }
    return motions.leftCols(count);
}

/// The motions of everything at once that cost no energy and leave every fixed coordinate alone, as
/// orthonormal columns in mass-weighted free coordinates: of all combinations T c of translations and
/// rotations those whose part on the fixed coordinates, |T_fixed c|^2 = c (1 - T_free^T T_free) c, vanishes.
Eigen::MatrixXd rigid_motions(const Structure& structure, const FreeCoordinates& free,
                              const Eigen::VectorXd& masses) {
    constexpr double nothing = 1e-12;  // of the square of a motion, above the rounding of positions in files
    const Eigen::MatrixXd all = translations_and_rotations(structure, masses);
    Eigen::MatrixXd of_free(free.size(), all.cols());
    for (Eigen::Index k = 0; k < all.cols(); ++k)
        of_free.col(k) = free.gather(all.col(k).reshaped(3, structure.size()));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> on_fixed(
        Eigen::MatrixXd::Identity(all.cols(), all.cols()) - of_free.transpose() * of_free);
    const Eigen::Index count = (on_fixed.eigenvalues().array() < nothing).count();
    return of_free * on_fixed.eigenvectors().leftCols(count);
}

/// hbar omega of the eigenvalues omega^2; imaginary ones as negative numbers.
Eigen::VectorXd frequencies_of(const Eigen::VectorXd& squares) {
    return squares.array().sign() * squares.array().abs().sqrt();
}

}  // namespace

Inertia inertia(const Structure& structure, const Eigen::VectorXd& masses) {
    if (structure.size() == 0) throw InputError("a structure without atoms has no inertia");
    const Eigen::VectorXd m = masses_of(structure, masses);
    Inertia result;
    result.center = structure.positions * m / m.sum();
    // I = sum_a m_a (r_a^2 - r_a r_a^T)
    const Eigen::Matrix3Xd r = structure.positions.colwise() - result.center;
    const Eigen::Matrix3d m_rr = r * m.asDiagonal() * r.transpose();
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(m_rr.trace() * Eigen::Matrix3d::Identity() -
                                                                m_rr);
    result.moments = solver.eigenvalues();
    result.axes = solver.eigenvectors();
    const double negligible = m.sum() * off_the_line * off_the_line;
    result.rotations = static_cast<int>((result.moments.array() > negligible).count());
    return result;
}

struct HessianCalculation::Implementation {
    Structure structure;
    std::vector<std::unique_ptr<Calculator>> owned;
    std::vector<Calculator*> calculators;  // one per worker
    double displacement;
    Context context;
    FreeCoordinates free;
    std::vector<int> atoms;  // with a free coordinate

    Evaluation reference;  // of the undisplaced structure
    State memory;          // of the calculator, after that
    Eigen::MatrixXd rows;  // (n_free, n_free), row i: -dF/dx_i; only the rows done have a meaning
    Eigen::Matrix3Xd dipole_gradient;
    std::size_t atoms_done = 0;

    Implementation(Structure start, double d, Context c)
        : structure(std::move(start)), displacement(d), context(std::move(c)), free(structure) {
        if (!(displacement > 0) || !std::isfinite(displacement))
            throw InputError("the displacement of a Hessian must be positive");
        if (structure.size() == 0) throw InputError("a structure without atoms has no Hessian");
        structure.validate();
        if (free.size() == 0)
            throw InputError("every coordinate of the structure is fixed: nothing can vibrate");
        for (const auto& [axis, atom] : free)
            if (atoms.empty() || atoms.back() != atom) atoms.push_back(atom);
        rows = Eigen::MatrixXd::Zero(free.size(), free.size());
    }

    static Evaluation evaluate(Calculator& calculator, const Structure& at, const Context& context) {
        Evaluation result;
        calculator.evaluate(at, {.forces = true, .stress = false}, result, context);
        if (!is_finite(result, calculator, at.size()))
            throw NumericalError(fmt::format("energy or forces of {} are not finite numbers in a Hessian",
                                             calculator.description()));
        return result;
    }

    bool has_dipole() const {
        return !structure.cell.is_periodic() && reference.charges.size() == structure.size();
    }

    void evaluate_reference() {
        reference = evaluate(*calculators[0], structure, context);
        memory = calculators[0]->save();
        if (has_dipole()) dipole_gradient = Eigen::Matrix3Xd::Zero(3, free.size());
    }

    /// One coordinate moved up or down, and what comes of it.
    struct Task {
        int axis = 0, atom = 0;
        Eigen::Index row = 0;
        double by = 0;
        Eigen::VectorXd forces{};  // of the free coordinates
        Eigen::Vector3d dipole = Eigen::Vector3d::Zero();
        State warmed{};  // of the calculator, where it had to raise the electronic temperature
        std::exception_ptr failure{};
    };

    void perform(Task& task, Calculator& calculator, const Context& of_worker) const {
        Structure there = structure;
        there.positions(task.axis, task.atom) += task.by;
        calculator.restore(memory);
        const Evaluation at = evaluate(calculator, there, of_worker);
        task.forces = free.gather(at.forces);
        if (has_dipole()) task.dipole = there.positions * at.charges;
        if (at.electronic_temperature != reference.electronic_temperature) task.warmed = calculator.save();
    }

    /// Forces at different electronic temperatures have no difference that means anything: everything once
    /// more, at the higher one. A calculator keeps the temperature that its atoms have needed once.
    void begin_anew(const State& warmed) {
        calculators[0]->restore(warmed);
        evaluate_reference();
        rows.setZero();
        atoms_done = 0;
        context.warning(
            fmt::format("a displaced structure needed an electronic temperature of {:.0f} K: the "
                        "Hessian begins anew at that temperature",
                        reference.electronic_temperature.value_or(0) / units::kelvin));
    }

    /// All tasks, each by the next free worker; what a task gives does not depend on who does it.
    void perform_all(std::vector<Task>& tasks) const {
        std::mutex logging;
        Context shared = context;
        if (context.log_sink)
            shared.log_sink = [&](Context::Level level, std::string_view text) {
                const std::scoped_lock lock(logging);
                context.log_sink(level, text);
            };
        if (context.progress_sink)
            shared.progress_sink = [&](std::string_view what, std::int64_t done, std::int64_t total) {
                const std::scoped_lock lock(logging);
                context.progress_sink(what, done, total);
            };
        std::atomic<std::size_t> next = 0;
        std::atomic<bool> failed = false;
        const auto work = [&](Calculator& calculator) {
            for (std::size_t t = next++; t < tasks.size() && !failed; t = next++) try {
                    perform(tasks[t], calculator, shared);
                } catch (...) {
                    tasks[t].failure = std::current_exception();
                    failed = true;
                }
        };
        if (calculators.size() == 1) {
            work(*calculators[0]);
        } else {
            std::vector<std::jthread> workers;
            for (Calculator* calculator : calculators)
                workers.emplace_back([&work, calculator] { work(*calculator); });
        }
        for (const Task& task : tasks)
            if (task.failure) std::rethrow_exception(task.failure);
    }

    void step() {
        if (atoms_done == atoms.size()) return;
        if (reference.forces.cols() == 0) evaluate_reference();
        // An atom is six displacements; with several workers four rounds of work, so that few of them wait
        // at the end.
        const std::size_t at_once =
            calculators.size() == 1 ? 1 : std::max<std::size_t>(1, (4 * calculators.size() + 5) / 6);
        const std::size_t end = std::min(atoms.size(), atoms_done + at_once);
        std::vector<Task> tasks;
        Eigen::Index row = 0;
        for (const auto& [axis, atom] : free) {
            if (atom >= atoms[atoms_done] && atom <= atoms[end - 1])
                for (const double sign : {1.0, -1.0})
                    tasks.push_back({.axis = axis, .atom = atom, .row = row, .by = sign * displacement});
            ++row;
        }
        perform_all(tasks);
        for (const Task& task : tasks)
            if (!task.warmed.values().empty()) return begin_anew(task.warmed);
        for (std::size_t t = 0; t < tasks.size(); t += 2) {
            const Task &up = tasks[t], &down = tasks[t + 1];
            rows.row(up.row) = -(up.forces - down.forces).transpose() / (2 * displacement);
            if (has_dipole()) dipole_gradient.col(up.row) = (up.dipole - down.dipole) / (2 * displacement);
        }
        for (Calculator* calculator : calculators) calculator->restore(memory);
        atoms_done = end;
    }

    void require_finished() const {
        if (atoms_done != atoms.size()) throw std::logic_error("the Hessian is not finished");
    }
};

HessianCalculation::HessianCalculation(Structure structure, Calculator& calculator, double displacement,
                                       Context context)
    : implementation_(
          std::make_unique<Implementation>(std::move(structure), displacement, std::move(context))) {
    implementation_->calculators = {&calculator};
}

HessianCalculation::HessianCalculation(Structure structure, const CalculatorFactory& make_calculator,
                                       int workers, double displacement, Context context)
    : implementation_(
          std::make_unique<Implementation>(std::move(structure), displacement, std::move(context))) {
    if (workers < 1)
        throw InputError(fmt::format("{} workers for a Hessian; at least one is needed", workers));
    for (int w = 0; w < workers; ++w) {
        implementation_->owned.push_back(make_calculator());
        implementation_->calculators.push_back(implementation_->owned.back().get());
    }
}

HessianCalculation::~HessianCalculation() = default;
HessianCalculation::HessianCalculation(HessianCalculation&&) noexcept = default;
HessianCalculation& HessianCalculation::operator=(HessianCalculation&&) noexcept = default;

void HessianCalculation::step() {
    implementation_->step();
}

bool HessianCalculation::run(const std::function<void()>& observer) {
    while (!finished()) {
        if (implementation_->context.stop_requested()) return false;
        step();
        if (observer) observer();
    }
    return true;
}

int HessianCalculation::atoms_done() const {
    return static_cast<int>(implementation_->atoms_done);
}
int HessianCalculation::n_atoms() const {
    return static_cast<int>(implementation_->atoms.size());
}
const Evaluation& HessianCalculation::evaluation() const {
    return implementation_->reference;
}
const Structure& HessianCalculation::structure() const {
    return implementation_->structure;
}

Eigen::MatrixXd HessianCalculation::hessian() const {
    implementation_->require_finished();
    return 0.5 * (implementation_->rows + implementation_->rows.transpose());
}

double HessianCalculation::asymmetry() const {
    implementation_->require_finished();
    return (implementation_->rows - implementation_->rows.transpose()).cwiseAbs().maxCoeff();
}

Eigen::Matrix3Xd HessianCalculation::dipole_gradient() const {
    implementation_->require_finished();
    return implementation_->dipole_gradient;
}

State HessianCalculation::save() const {
    const Implementation& now = *implementation_;
    State state;
    state.put_all("structure", state_of(now.structure));
    state.put("displacement", now.displacement);
    state.put("atoms_done", static_cast<std::int64_t>(now.atoms_done));
    if (now.reference.forces.cols() == 0) return state;
    state.put_all("reference", state_of(now.reference));
    state.put_all("memory", now.memory);
    state.put("rows", now.rows);
    if (now.has_dipole()) state.put("dipole_gradient", now.dipole_gradient);
    return state;
}

void HessianCalculation::restore(const State& state) {
    Implementation& now = *implementation_;
    Structure saved = now.structure;
    restore_positions(state.part("structure"), saved);
    const auto done = state.integer("atoms_done");
    if ((saved.positions.array() != now.structure.positions.array()).any() ||
        state.number("displacement") != now.displacement || done < 0 || done > n_atoms())
        throw FileError("the checkpoint was written for another structure or displacement");
    if (!state.has("rows")) return;
    const Eigen::MatrixXd rows = state.matrix("rows", now.free.size());
    if (rows.cols() != now.free.size())
        throw FileError("the checkpoint was written with other fixed coordinates");
    now.reference = evaluation_of(state.part("reference"));
    now.memory = state.part("memory");
    now.rows = rows;
    if (now.has_dipole()) {
        now.dipole_gradient = state.matrix("dipole_gradient", 3);
        if (now.dipole_gradient.cols() != now.free.size())
            throw FileError("checkpoint entry 'dipole_gradient' has the wrong size");
    }
    now.atoms_done = static_cast<std::size_t>(done);
}

NormalModes normal_modes(const Structure& structure, const Eigen::MatrixXd& hessian,
                         const ModeOptions& options) {
    const FreeCoordinates free(structure);
    if (hessian.rows() != free.size() || hessian.cols() != free.size())
        throw InputError(fmt::format("a Hessian of {} x {} does not fit {} free coordinates", hessian.rows(),
                                     hessian.cols(), free.size()));
    if (!hessian.allFinite()) throw InputError("the Hessian holds numbers that are not finite");
    const Eigen::VectorXd masses = masses_of(structure, options.masses);
    const Eigen::VectorXd inverse_root = coordinate_masses(free, masses).cwiseSqrt().cwiseInverse();

    // D = M^-1/2 H M^-1/2
    const Eigen::MatrixXd dynamical =
        inverse_root.asDiagonal() * (0.5 * (hessian + hessian.transpose())) * inverse_root.asDiagonal();
    NormalModes result;
    result.unprojected = frequencies_of(
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(dynamical, Eigen::EigenvaluesOnly).eigenvalues());

    // B: orthonormal basis of what is orthogonal to the rigid motions, the last columns of Q in R = Q U
    Eigen::MatrixXd basis = Eigen::MatrixXd::Identity(free.size(), free.size());
    if (options.project) {
        const Eigen::MatrixXd rigid = rigid_motions(structure, free, masses);
        result.rigid_motions = static_cast<int>(rigid.cols());
        if (rigid.cols() > 0) basis = Eigen::HouseholderQR<Eigen::MatrixXd>(rigid).householderQ() * basis;
    }
    const Eigen::Index n_modes = free.size() - result.rigid_motions;
    const Eigen::MatrixXd vibrations = basis.rightCols(n_modes);

    // (B^T D B) y = omega^2 y,  x = M^-1/2 B y
    result.displacements = Eigen::MatrixXd::Zero(3 * Eigen::Index{structure.size()}, n_modes);
    result.reduced_masses.resize(n_modes);
    if (n_modes == 0) return result;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(vibrations.transpose() * dynamical *
                                                                vibrations);
    result.frequencies = frequencies_of(solver.eigenvalues());
    result.zero_point_energy = 0.5 * result.frequencies.cwiseMax(0).sum();
    const Eigen::MatrixXd cartesian = inverse_root.asDiagonal() * (vibrations * solver.eigenvectors()).eval();
    for (Eigen::Index k = 0; k < n_modes; ++k) {
        const double square = cartesian.col(k).squaredNorm();
        result.reduced_masses(k) = 1 / square;
        Eigen::Matrix3Xd mode = Eigen::Matrix3Xd::Zero(3, structure.size());
        free.add_to(mode, cartesian.col(k) / std::sqrt(square));
        result.displacements.col(k) = mode.reshaped();
    }
    return result;
}

Eigen::VectorXd infrared_intensities(const Structure& structure, const NormalModes& modes,
                                     const Eigen::Matrix3Xd& dipole_gradient) {
    const FreeCoordinates free(structure);
    if (dipole_gradient.cols() != free.size() || modes.displacements.rows() != 3 * structure.size())
        throw InputError("dipole gradient, modes and structure have different sizes");
    Eigen::VectorXd intensities(modes.n_modes());
    for (int k = 0; k < modes.n_modes(); ++k) {
        // dQ = sqrt(mu) along the unit displacement
        const Eigen::Vector3d gradient = dipole_gradient * free.gather(modes.mode(k));
        intensities(k) = gradient.squaredNorm() / modes.reduced_masses(k);
    }
    return intensities;
}

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// Energies and forces, and relaxation by them.
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "conversions.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/calculators/calculators.hpp"
#include "stembridge/settings/relax.hpp"

namespace stembridge::python {
namespace {

io::Schema calculator_schema() {
    io::Schema schema = calculator_keys();
    schema.push_back(threads_key());
    return schema;
}

/// The names are those of ASE; "details" holds what it has no names for.
py::dict to_dict(const Evaluation& e, const Structure& structure) {
    py::dict result;
    result["energy"] = e.energy_zero / units::electronvolt;
    result["free_energy"] = e.energy / units::electronvolt;
    result["forces"] = Rows(e.forces.transpose() / units::electronvolt_per_angstrom);
    if (e.stress) {
        const Eigen::Matrix3d s =
            *e.stress * (units::angstrom * units::angstrom * units::angstrom / units::electronvolt);
        Eigen::VectorXd voigt(6);
        voigt << s(0, 0), s(1, 1), s(2, 2), s(1, 2), s(0, 2), s(0, 1);
        result["stress"] = voigt;
    }
    if (e.charges.size() != 0) {
        result["charges"] = e.charges;
        if (!structure.cell.is_periodic())
            result["dipole"] = Eigen::Vector3d(structure.positions * e.charges / units::angstrom);
    }
    if (e.spin_moments.size() != 0) {
        result["magmoms"] = e.spin_moments;
        result["magmom"] = e.spin_moments.sum();
    }
    py::dict details;
    if (e.fermi_level) details["fermi_level"] = *e.fermi_level / units::electronvolt;
    details["scc_iterations"] = e.iterations;
    details["scc_fallback"] = e.fallback;
    details["solver"] = e.solver;
    result["details"] = details;
    return result;
}

py::dict to_dict(const md::RelaxStep& step) {
    py::dict result;
    result["step"] = step.step;
    result["method"] = step.method;
    result["accepted"] = step.accepted;
    result["energy"] = step.energy / units::electronvolt;
    result["max_force"] = step.max_force / units::electronvolt_per_angstrom;
    return result;
}

class Engine {
  public:
    /// @param toml the tables [calculator] and [run]
    explicit Engine(const std::string& toml) : config_(io::Config::parse(toml, calculator_schema(), "")) {}

    py::dict evaluate(const Atoms& atoms, bool stress) {
        Warnings warnings;
        Evaluation result;
        Structure structure;
        {
            std::optional<py::gil_scoped_release> others_may_run(std::in_place);
            const std::lock_guard one_at_a_time(mutex_);
            structure = structure_from(atoms);
            const auto calculator = calculator_for(structure);
            if (stress && !calculator->offers(structure).stress)
                throw UnsupportedError(
                    "there is no stress of a structure that does not repeat, nor in "
                    "external fields");
            const auto compute = [&](const std::stop_token& stop) {
                Context context = warnings.context();
                context.stop = stop;
                calculator->evaluate(structure, {.forces = true, .stress = stress}, result, context);
            };
            if (config_.text("calculator.kind") == "socket") {  // its client may never come
                others_may_run.reset();
                interruptible(compute);
            } else {
                compute({});
            }
        }
        warnings.issue();
        return to_dict(result, structure);
    }

    /// @param toml the tables [relax] and [run]  @param positions, cell follow every step that is accepted
    /// @param observer called with every step, or None
    py::dict relax(const Atoms& atoms, const std::string& toml, py::EigenDRef<Rows> positions,
                   py::EigenDRef<Eigen::Matrix3d> cell, const py::object& observer) {
        io::Schema schema = settings::relax_keys();
        schema.push_back(io::Key::integer("run.seed", "1", "").at_least(0));
        const io::Config config = io::Config::parse(toml, schema, "");
        const Structure start = structure_from(atoms);
        Structure structure = start;
        // What did not move keeps its bits.
        const auto show = [&] {
            const Atoms now = atoms_from(structure);
            const auto moved = (structure.positions.array() != start.positions.array()).transpose();
            positions = moved.select(now.positions, positions);
            const auto strained = (structure.cell.vectors.array() != start.cell.vectors.array()).transpose();
            cell = strained.select(now.cell, cell);
        };
        Warnings warnings;
        md::PreRelaxResult straightened;
        md::RelaxResult result;
        std::vector<double> energies;
        const auto after_step = [&](const md::RelaxStep& step) {
            if (step.accepted) energies.push_back(step.energy / units::electronvolt);
            const py::gil_scoped_acquire held;
            if (PyErr_CheckSignals() != 0) throw py::error_already_set();  // Ctrl-C
            if (observer.is_none()) return;
            show();
            observer(to_dict(step));
        };
        std::exception_ptr failure;
        {
            const py::gil_scoped_release others_may_run;
            const std::lock_guard one_at_a_time(mutex_);
            try {
                Context context = warnings.context();
                context.seed = static_cast<std::uint64_t>(config.integer("run.seed"));
                const auto calculator = calculator_for(structure);
                straightened = settings::pre_relax(config, structure, context);
                result =
                    md::relax(structure, *calculator, settings::relax_options(config), after_step, context);
            } catch (...) {
                failure = std::current_exception();
            }
        }
        show();
        if (failure) std::rethrow_exception(failure);
        warnings.issue();
        py::dict summary;
        summary["status"] = md::to_string(result.status);
        summary["evaluations"] = result.steps;
        summary["max_force"] = result.max_force / units::electronvolt_per_angstrom;
        summary["energies"] = energies;
        summary["straightened"] = straightened.done;
        summary["results"] = to_dict(result.evaluation, structure);
        return summary;
    }

  private:
    /// Shared, because what observes a relaxation may ask for something else.
    std::shared_ptr<Calculator> calculator_for(const Structure& structure) {
        if (!calculator_ || structure.atomic_numbers != numbers_) {
            calculator_.reset();  // its socket is free, and its matrices, before there are others
            calculator_ = make_calculator(config_, structure);
        }
        numbers_ = structure.atomic_numbers;
        return calculator_;
    }

    io::Config config_;
    std::recursive_mutex mutex_;
    std::shared_ptr<Calculator> calculator_;
    std::vector<int> numbers_;
};

}  // namespace

void declare_engine(py::module_& module) {
    py::class_<Engine>(module, "Engine")
        .def(py::init<const std::string&>())
        .def("evaluate", &Engine::evaluate)
        .def("relax", &Engine::relax);
}

}  // namespace stembridge::python

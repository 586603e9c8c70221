// SPDX-License-Identifier: Apache-2.0
// What Python sees of the engine: values in eV, angstrom and e; (n, 3) arrays, one atom per row.
#include <pybind11/eigen.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/base/errors.hpp"
#include "stembridge/calculators/calculators.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/ml/find_atoms.hpp"
#include "stembridge/structure/analysis.hpp"

namespace py = pybind11;

namespace stembridge::python {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;

/// @param positions (n, 3), angstrom  @param cell (3, 3), lattice vectors as rows, angstrom
Structure structure_from(const std::vector<int>& numbers, const Rows& positions, const Eigen::Matrix3d& cell,
                         const std::array<bool, 3>& periodic) {
    Structure structure;
    structure.atomic_numbers = numbers;
    structure.positions = positions.transpose() * units::angstrom;
    structure.cell.vectors = cell.transpose() * units::angstrom;
    structure.cell.periodic = periodic;
    structure.validate();
    return structure;
}

/// Python warnings from what a computation said, once the interpreter is held again.
class Warnings {
  public:
    Context context() {
        Context context;
        context.log_sink = [this](Context::Level level, std::string_view message) {
            const std::lock_guard lock(mutex_);
            if (level == Context::Level::warning) messages_.emplace_back(message);
        };
        return context;
    }
    void issue() const {
        for (const std::string& message : messages_)
            if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw py::error_already_set();
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> messages_;
};

// --- energies and forces

io::Schema calculator_schema() {
    io::Schema schema = calculator_keys();
    schema.push_back(threads_key());
    return schema;
}

/// The names are those of ASE; "details" holds what it has no names for.
py::dict to_dict(const Evaluation& e) {
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
    if (e.charges.size() != 0) result["charges"] = e.charges;
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

/// A calculator and what it remembers from geometry to geometry.
class Engine {
  public:
    /// @param toml the tables [calculator] and [run]
    explicit Engine(const std::string& toml) : config_(io::Config::parse(toml, calculator_schema(), "")) {}

    py::dict evaluate(const std::vector<int>& numbers, const Rows& positions, const Eigen::Matrix3d& cell,
                      const std::array<bool, 3>& periodic, bool stress) {
        Warnings warnings;
        Evaluation result;
        {
            const py::gil_scoped_release others_may_run;
            const std::lock_guard one_at_a_time(mutex_);
            const Structure structure = structure_from(numbers, positions, cell, periodic);
            if (!calculator_ || numbers != numbers_) calculator_ = make_calculator(config_, structure);
            numbers_ = numbers;
            if (stress && !calculator_->offers(structure).stress)
                throw UnsupportedError(
                    "there is no stress of a structure that does not repeat, nor in "
                    "external fields");
            calculator_->evaluate(structure, {.forces = true, .stress = stress}, result, warnings.context());
        }
        warnings.issue();
        return to_dict(result);
    }

  private:
    io::Config config_;
    std::mutex mutex_;
    std::unique_ptr<Calculator> calculator_;
    std::vector<int> numbers_;
};

// --- images and rings

py::dict find_atoms(const Pixels& pixels, std::optional<double> pixel_size_angstrom,
                    const std::vector<std::filesystem::path>& networks, int threads) {
    Warnings warnings;
    ml::FindAtomsResult found;
    {
        const py::gil_scoped_release others_may_run;
        const Context context = warnings.context();
        std::vector<State> members;
        for (const auto& file : networks) members.push_back(io::read_state(file));
        std::unique_ptr<ml::SegmentationNetwork> network;
        if (!members.empty()) network = ml::open_network(members, context, {.threads = threads});
        ml::FindAtomsOptions options;
        options.pixel_size_angstrom = pixel_size_angstrom;
        found = ml::find_atoms({.pixels = pixels, .pixel_size_angstrom = std::nullopt, .source = "the image"},
                               network.get(), options, context);
    }
    warnings.issue();
    const auto n = static_cast<Eigen::Index>(found.atoms.size());
    Eigen::MatrixX2d angstrom(n, 2), px(n, 2);
    Eigen::VectorXi numbers(n);
    Eigen::VectorXd probability(n), spread(n), sigma(n);
    for (Eigen::Index i = 0; i < n; ++i) {
        const Detection& d = found.atoms[static_cast<std::size_t>(i)];
        angstrom.row(i) << d.x_angstrom, d.y_angstrom;
        px.row(i) << d.x_px, d.y_px;
        numbers[i] = d.atomic_number;
        probability[i] = d.probability;
        spread[i] = d.spread;
        sigma[i] = d.sigma_angstrom;
    }
    py::dict result;
    result["positions"] = angstrom;
    result["positions_px"] = px;
    result["numbers"] = numbers;
    result["probability"] = probability;
    result["spread"] = spread;
    result["sigma"] = sigma;
    result["method"] = found.method;
    return result;
}

std::vector<std::vector<int>> rings(const std::vector<int>& numbers, const Rows& positions,
                                    const Eigen::Matrix3d& cell, const std::array<bool, 3>& periodic,
                                    int largest) {
    AnalysisOptions options;
    options.largest_ring = largest;
    std::vector<std::vector<int>> result;
    for (const Ring& ring : analyze(structure_from(numbers, positions, cell, periodic), options).rings)
        result.push_back(ring.atoms);
    return result;
}

/// An exception class of the module that is also one of Python's own.
template <class Exception>
void declare(py::module_& module, const char* name, const py::handle& base, PyObject* also) {
    py::register_exception<Exception>(module, name, py::make_tuple(base, py::handle(also)));
}

}  // namespace

PYBIND11_MODULE(_core, module) {
    const py::exception<Error>& error = py::register_exception<Error>(module, "Error");
    declare<InputError>(module, "InputError", error, PyExc_ValueError);
    declare<FileError>(module, "FileError", error, PyExc_OSError);
    declare<UnsupportedError>(module, "UnsupportedError", error, PyExc_NotImplementedError);
    declare<BackendError>(module, "BackendError", error, PyExc_RuntimeError);
    declare<NumericalError>(module, "NumericalError", error, PyExc_ArithmeticError);
    declare<ConvergenceError>(module, "ConvergenceError", error, PyExc_RuntimeError);

    py::class_<Engine>(module, "Engine")
        .def(py::init<const std::string&>())
        .def("evaluate", &Engine::evaluate);
    module.def("find_atoms", &find_atoms);
    module.def("rings", &rings);
    module.def("length_in_angstrom", [](const std::string& text) {
        return parse_quantity(text, Dimension::length) / units::angstrom;
    });
    module.def("networks_available", &ml::networks_available);
    module.def("why_no_networks", &ml::why_no_networks);
    module.def("data_folder", &data_folder);
    module.attr("hartree") = 1 / units::electronvolt;
    module.attr("bohr") = 1 / units::angstrom;
}

}  // namespace stembridge::python

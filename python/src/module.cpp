// SPDX-License-Identifier: Apache-2.0
// What Python sees of the engine: values in eV, angstrom and e; (n, 3) arrays, one atom per row.
#include <pybind11/stl/filesystem.h>

#include <memory>
#include <optional>

#include "conversions.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/calculators/calculators.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/ml/find_atoms.hpp"
#include "stembridge/settings/analyze.hpp"
#include "stembridge/settings/build.hpp"
#include "stembridge/settings/simulate_image.hpp"

namespace stembridge::python {
namespace {

// --- images

using Mask = Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

py::dict find_atoms(const Pixels& pixels, std::optional<double> pixel_size_angstrom,
                    const std::vector<std::filesystem::path>& networks, int threads) {
    Warnings warnings;
    const ml::FindAtomsResult found = interruptible([&](const std::stop_token& stop) {
        Context context = warnings.context();
        context.stop = stop;
        std::vector<State> members;
        members.reserve(networks.size());
        for (const auto& file : networks) members.push_back(io::read_state(file));
        std::unique_ptr<ml::SegmentationNetwork> network;
        if (!members.empty()) network = ml::open_network(members, context, {.threads = threads});
        ml::FindAtomsOptions options;
        options.pixel_size_angstrom = pixel_size_angstrom;
        return ml::find_atoms({.pixels = pixels, .pixel_size_angstrom = std::nullopt, .source = "the image"},
                              network.get(), options, context);
    });
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
    result["region"] = Mask(found.region >= 0.5F);
    return result;
}

/// @param toml the tables [image], [aberration] and [run]
Pixels simulate_image(const Atoms& atoms, const std::string& toml) {
    Warnings warnings;
    const ml::SimulatedFrame frame = interruptible([&](const std::stop_token& stop) {
        const io::Config config = io::Config::parse(toml, settings::image_keys(), "");
        ml::SimulationOptions options = settings::simulation_options(config);
        const auto scene = settings::scene_of(structure_from(atoms), config, options.scan);
        Context context = warnings.context();
        context.seed = static_cast<std::uint64_t>(config.integer("run.seed"));
        context.stop = stop;
        return ml::simulate_image(scene, options, context);
    });
    warnings.issue();
    return frame.image.pixels;
}

// --- structures

/// Atoms built, for each its number in the input (-1 = added), and the report as JSON.
using Built = std::tuple<Atoms, std::vector<int>, std::string>;

/// @param toml the tables [build] and [calculator]  @param start_from gives the BuildStart
template <class StartFrom>
Built build(const std::string& toml, const StartFrom& start_from) {
    BuildReport report;
    Built built;
    {
        const py::gil_scoped_release others_may_run;
        io::Schema schema = settings::build_keys();
        for (const io::Key& key : calculator_keys()) schema.push_back(key);
        const io::Config config = io::Config::parse(toml, schema, "");
        const settings::BuildStart start = start_from(config, report);
        const Derived made = settings::build(config, start, report);
        std::vector<int> origin;
        for (const int from : made.origin)
            origin.push_back(from < 0 ? -1 : start.atoms.origin[static_cast<std::size_t>(from)]);
        built = {atoms_from(made.structure), origin, settings::build_summary(config, start, made, report)};
    }
    for (const std::string& warning : report.warnings)
        if (PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 2) != 0) throw py::error_already_set();
    return built;
}

Built build_from_atoms(const Atoms& atoms, const std::string& toml) {
    return build(toml, [&](const io::Config& config, BuildReport& report) {
        return settings::build_start(config, structure_from(atoms), report);
    });
}

Built build_from_found(const Eigen::MatrixX2d& px, const Eigen::MatrixX2d& angstrom,
                       const std::vector<int>& numbers, const std::vector<double>& probability,
                       const std::vector<double>& spread, const std::vector<double>& sigma,
                       const Pixels& region, const std::string& toml) {
    const std::size_t n = numbers.size();
    if (static_cast<std::size_t>(px.rows()) != n || static_cast<std::size_t>(angstrom.rows()) != n ||
        probability.size() != n || spread.size() != n || sigma.size() != n)
        throw InputError("the arrays of FoundAtoms must have one row per atom");
    Detections found(n);
    for (std::size_t i = 0; i < n; ++i) {
        const auto row = static_cast<Eigen::Index>(i);
        found[i] = {.x_px = px(row, 0),
                    .y_px = px(row, 1),
                    .x_angstrom = angstrom(row, 0),
                    .y_angstrom = angstrom(row, 1),
                    .atomic_number = numbers[i],
                    .probability = probability[i],
                    .spread = spread[i],
                    .sigma_angstrom = sigma[i]};
    }
    return build(toml, [&](const io::Config& config, BuildReport& report) {
        return settings::build_start(config, found, region, report);
    });
}

StructureAnalysis analysis_of(const Atoms& atoms, int largest_ring, double bond_factor) {
    AnalysisOptions options;
    options.largest_ring = largest_ring;
    options.bonds.factor = bond_factor;
    return stembridge::analyze(structure_from(atoms), options);
}

std::string analyze(const Atoms& atoms, int largest_ring, double bond_factor) {
    return settings::to_json(analysis_of(atoms, largest_ring, bond_factor), 0);
}

std::vector<std::vector<int>> rings(const Atoms& atoms, int largest) {
    std::vector<std::vector<int>> result;
    for (const Ring& ring : analysis_of(atoms, largest, BondCriteria().factor).rings)
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
    module.attr("__version__") = STEMBRIDGE_VERSION;
    const py::exception<Error>& error = py::register_exception<Error>(module, "Error");
    declare<InputError>(module, "InputError", error, PyExc_ValueError);
    declare<FileError>(module, "FileError", error, PyExc_OSError);
    declare<UnsupportedError>(module, "UnsupportedError", error, PyExc_NotImplementedError);
    declare<BackendError>(module, "BackendError", error, PyExc_RuntimeError);
    declare<NumericalError>(module, "NumericalError", error, PyExc_ArithmeticError);
    declare<ConvergenceError>(module, "ConvergenceError", error, PyExc_RuntimeError);

    py::class_<Atoms>(module, "Atoms")
        .def(py::init([](const std::vector<int>& numbers, const Rows& positions, const Eigen::Matrix3d& cell,
                         const std::array<bool, 3>& periodic, const FixedRows& fixed) {
            return Atoms{numbers, positions, cell, periodic, fixed};
        }))
        .def_readonly("numbers", &Atoms::numbers)
        .def_readonly("positions", &Atoms::positions)
        .def_readonly("cell", &Atoms::cell)
        .def_readonly("pbc", &Atoms::periodic)
        .def_readonly("fixed", &Atoms::fixed);
    declare_engine(module);
    module.def("find_atoms", &find_atoms);
    module.def("simulate_image", &simulate_image);
    module.def("build_from_atoms", &build_from_atoms);
    module.def("build_from_found", &build_from_found);
    module.def("analyze", &analyze);
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

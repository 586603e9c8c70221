// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/vibrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "configuration.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/md/thermochemistry.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// Differences of forces need charges this good: an error of 1e-6 e would give the hydrogen atoms some 20
/// cm^-1.
constexpr double scc_tolerance = 1e-9;
/// Poles leave errors of 1e-8 e, much the same at both displacements: frequencies of benzene and of C24 are
/// within 0.01 cm^-1 of those by diagonalisation.
constexpr double scc_tolerance_of_poles = 1e-7;
constexpr double relaxed_force = 1e-2 * units::electronvolt_per_angstrom;
constexpr double cm1 = units::inverse_centimetre;
/// The Boltzmann constant in eV/K.
constexpr double boltzmann_ev = units::kelvin / units::electronvolt;

/// Whether density matrices are made by poles; where the program chooses, an evaluation tells.
bool by_poles(const io::Config& config, const Structure& structure, Session& session) {
    const std::string solver = config.text("calculator.solver");
    constexpr int few = 40;  // atoms, for which diagonalisation is always taken
    if (solver == "dense" || (solver == "auto" && structure.size() < few)) return false;
    if (solver == "pole-expansion") return true;
    Evaluation out;
    make_calculator(config, structure)
        ->evaluate(structure, {.forces = false, .stress = false}, out, session.context());
    return out.solver.find("pole-expansion") != std::string::npos;
}

/// @param config gets a tolerance as tight as the solver allows
void tighten_charges(io::Config& config, const Structure& structure, Session& session) {
    const double given = config.number("calculator.scc.tolerance");
    if (!config.boolean("calculator.scc.enabled") || given <= scc_tolerance) return;
    const double needed = by_poles(config, structure, session) ? scc_tolerance_of_poles : scc_tolerance;
    if (given <= needed) return;
    config.set("calculator.scc.tolerance", fmt::format("{}", needed), "vibrations");
    session.info(
        fmt::format("differences of forces need exact charges: calculator.scc.tolerance is {}", needed));
}

/// Masses of the atoms, those of [vibrations.masses] in place of the standard ones.
Eigen::VectorXd atomic_masses(const io::Config& config, const Structure& structure) {
    Eigen::VectorXd masses = structure.masses();
    if (!config.has("vibrations.masses")) return masses;
    for (const auto& [symbol, value] : config.table("vibrations.masses").table()) {
        int element = 0;
        try {
            element = atomic_number(symbol);
        } catch (const InputError& e) {
            throw InputError(fmt::format("{}: {}", value.where(), e.what()));
        }
        if (!(value.number() > 0))
            throw InputError(fmt::format("{}: a mass (dalton) must be positive", value.where()));
        for (int atom = 0; atom < structure.size(); ++atom)
            if (structure.atomic_numbers[static_cast<std::size_t>(atom)] == element)
                masses(atom) = value.number() * units::dalton;
    }
    return masses;
}

/// Displacements evaluated at once. Separate small problems use the processors better than one after another
/// with all of them; of large ones the memory of a single calculator is what can be afforded.
int workers_of(const io::Config& config, const Structure& structure) {
    const auto wanted = static_cast<int>(config.integer("vibrations.workers"));
    constexpr int large = 400;  // atoms; some 1600 orbitals, 0.1 GB of matrices each
    if (wanted > 0) return wanted;
    return structure.size() > large ? 1 : threads_in_use();
}

nlohmann::json list(const Eigen::VectorXd& values) {
    return std::vector<double>(values.begin(), values.end());
}

nlohmann::json modes_json(const md::NormalModes& modes) {
    nlohmann::json all = nlohmann::json::array();
    for (int k = 0; k < modes.n_modes(); ++k) {
        nlohmann::json rows = nlohmann::json::array();
        const Eigen::Matrix3Xd mode = modes.mode(k);
        for (const auto& atom : mode.colwise()) rows.push_back({atom(0), atom(1), atom(2)});
        all.push_back(std::move(rows));
    }
    return all;
}

nlohmann::json to_json(const md::HarmonicThermochemistry& h) {
    return {
        {"internal_energy_ev", h.internal_energy / units::electronvolt},
        {"heat_capacity_ev_per_k", h.heat_capacity * boltzmann_ev},
        {"entropy_ev_per_k", h.entropy * boltzmann_ev},
        {"helmholtz_energy_ev", h.free_energy / units::electronvolt},
        {"frequencies_left_out", h.left_out},
    };
}

nlohmann::json to_json(const md::IdealGasThermochemistry& gas, const md::IdealGasOptions& options) {
    return {
        {"pressure_bar", options.pressure / (1e-4 * units::gigapascal)},
        {"symmetry_number", options.symmetry_number},
        {"multiplicity", options.multiplicity},
        {"enthalpy_ev", gas.enthalpy / units::electronvolt},
        {"translational_entropy_ev_per_k", gas.translational_entropy * boltzmann_ev},
        {"rotational_entropy_ev_per_k", gas.rotational_entropy * boltzmann_ev},
        {"vibrational_entropy_ev_per_k", gas.vibrations.entropy * boltzmann_ev},
        {"electronic_entropy_ev_per_k", gas.electronic_entropy * boltzmann_ev},
        {"entropy_ev_per_k", gas.entropy * boltzmann_ev},
        {"gibbs_energy_ev", gas.gibbs_energy / units::electronvolt},
    };
}

/// Sticks and their sum of Lorentzians; heights are infrared absorptions, or 1 where there are none.
/// @param broadening full width at half maximum, hartree
io::Figure spectrum(const md::NormalModes& modes, const Eigen::VectorXd& intensities_km_mol,
                    double broadening) {
    const bool infrared = intensities_km_mol.size() != 0;
    const double half_width = broadening / 2 / cm1;
    const double highest = modes.n_modes() > 0 ? modes.frequencies.maxCoeff() / cm1 : 0;
    const double high = std::max(1.05 * highest, highest + 10 * half_width);
    const double low = modes.n_imaginary() > 0 ? modes.frequencies.minCoeff() / cm1 - 10 * half_width : 0.0;
    const auto height = [&](int k) { return infrared ? intensities_km_mol(k) : 1.0; };

    io::Curve sticks{.label = "modes", .x = {low}, .y = {0}, .color = 1, .faint = true};
    for (int k = 0; k < modes.n_modes(); ++k) {
        const double at = modes.frequencies(k) / cm1;
        sticks.x.insert(sticks.x.end(), 3, at);
        for (const double y : {0.0, height(k), 0.0}) sticks.y.push_back(y);
    }
    sticks.x.push_back(high);
    sticks.y.push_back(0);

    // sum_k h_k w^2 / ((v - v_k)^2 + w^2): as high as its stick where it stands alone
    constexpr int points = 2000;
    io::Curve broadened{.label = "broadened", .x = {}, .y = {}, .color = 0};
    for (int p = 0; p <= points; ++p) {
        const double at = low + (high - low) * p / points;
        double sum = 0;
        for (int k = 0; k < modes.n_modes(); ++k) {
            const double off = at - modes.frequencies(k) / cm1;
            sum += height(k) * half_width * half_width / (off * off + half_width * half_width);
        }
        broadened.x.push_back(at);
        broadened.y.push_back(sum);
    }
    io::CurvePlot plot;
    plot.name = "spectrum";
    plot.caption = infrared ? "Infrared spectrum in the harmonic approximation"
                            : "Vibrational frequencies in the harmonic approximation";
    plot.x.label = "wavenumber / cm⁻¹";
    plot.x.low = low;
    plot.x.high = high;
    plot.panels.resize(1);
    plot.panels[0].y.label = infrared ? "absorption / (km/mol)" : "modes";
    plot.panels[0].y.low = 0;
    plot.panels[0].curves = {std::move(broadened), std::move(sticks)};
    return io::draw(plot);
}

/// One frame per mode: the structure with the displacement of every atom.
void write_modes(const fs::path& path, const Structure& structure, const md::NormalModes& modes,
                 const Eigen::VectorXd& intensities_km_mol) {
    io::TrajectoryWriter writer(path);
    for (int k = 0; k < modes.n_modes(); ++k) {
        io::Frame frame;
        frame.structure = structure;
        frame.info = {{"mode", static_cast<double>(k + 1)}, {"frequency_cm1", modes.frequencies(k) / cm1}};
        if (intensities_km_mol.size() != 0) frame.info["intensity_km_per_mol"] = intensities_km_mol(k);
        frame.arrays["displacements"] = modes.mode(k);
        writer.write(frame);
    }
    writer.sync();
}

}  // namespace

nlohmann::json vibrations(const io::Config& config, const Structure& start, StageFolder& folder,
                          Session& session) {
    Structure structure = start;
    structure.validate();
    if (config.has("vibrations.fix"))
        for (const auto& rule : config.texts("vibrations.fix")) fix_atoms(structure, rule);
    const Eigen::VectorXd masses = atomic_masses(config, structure);
    const int workers = workers_of(config, structure);
    io::Config share = config;
    share.set("run.threads", std::to_string(std::max(1, threads_in_use() / workers)), "vibrations");
    tighten_charges(share, structure, session);
    const auto new_calculator = [&] { return make_calculator(share, structure); };
    const std::string description = new_calculator()->description();
    session.info(fmt::format("vibrations of {} ({} atoms) with {}, {} displacements at once",
                             structure.formula(), structure.size(), description, workers));

    const fs::path checkpoint = folder / "checkpoint.h5";
    const bool resumed = folder.was_begun() && io::has_checkpoint(checkpoint);
    folder.begin();
    const Timer timer;
    md::HessianCalculation calculation(structure, new_calculator, workers,
                                       config.quantity("vibrations.displacement"), session.context());
    if (resumed) {
        calculation.restore(io::read_checkpoint(checkpoint, session.context()));
        session.info(
            fmt::format("continuing after {} of {} atoms", calculation.atoms_done(), calculation.n_atoms()));
    }
    const auto save = [&] { io::write_checkpoint(checkpoint, calculation.save()); };
    const auto every = config.integer("vibrations.checkpoint_every");
    const auto stopped = [&] {
        save();
        folder.stop(timer.seconds());
        return StoppedError(fmt::format(
            "stopped on request after {} of {} atoms; a checkpoint is in {}: the same command continues",
            calculation.atoms_done(), calculation.n_atoms(), folder.path().string()));
    };
    std::int64_t saved = calculation.atoms_done();
    while (!calculation.finished()) {
        if (session.stop_requested()) throw stopped();
        try {
            calculation.step();
        } catch (const StoppedError&) {  // inside an evaluation: what it had done is lost, nothing else
            throw stopped();
        } catch (const Error&) {
            save();  // the atoms that are done
            throw;
        }
        session.context().progress("displacing atoms", calculation.atoms_done(), calculation.n_atoms());
        if (calculation.atoms_done() >= saved + every || calculation.finished()) {
            save();
            saved = calculation.atoms_done();
        }
    }

    const double max_force = md::max_free_force(structure, calculation.evaluation().forces);
    if (max_force > relaxed_force)
        session.warning(fmt::format(
            "the structure is not relaxed: its largest force is {:.3g} eV/angstrom, above {:g}; "
            "frequencies belong to a minimum",
            max_force / units::electronvolt_per_angstrom, relaxed_force / units::electronvolt_per_angstrom));
    const bool external =
        config.has("calculator.external.point_charges") || config.has("calculator.external.field");
    const md::NormalModes modes =
        md::normal_modes(structure, calculation.hessian(), {.project = !external, .masses = masses});
    if (modes.n_imaginary() > 0)
        session.warning(fmt::format(
            "{} of {} frequencies are imaginary (negative numbers), down to {:.1f} cm^-1: the structure is "
            "no minimum, or the displacement does not suit it",
            modes.n_imaginary(), modes.n_modes(), modes.frequencies.minCoeff() / cm1));
    Eigen::VectorXd intensities;
    if (calculation.dipole_gradient().cols() != 0)
        intensities =
            md::infrared_intensities(structure, modes, calculation.dipole_gradient()) / md::km_per_mol;

    const double kT = config.quantity("vibrations.temperature");
    const md::HarmonicThermochemistry harmonic = md::harmonic_thermochemistry(modes.frequencies, kT);
    nlohmann::json thermochemistry = {{"temperature_k", kT / units::kelvin}, {"harmonic", to_json(harmonic)}};
    const bool molecule = !structure.cell.is_periodic() && !external &&
                          modes.unprojected.size() == 3 * Eigen::Index{structure.size()};
    if (molecule && kT > 0) {
        md::IdealGasOptions gas;
        gas.temperature = kT;
        gas.pressure = config.quantity("vibrations.pressure");
        gas.symmetry_number = static_cast<int>(config.integer("vibrations.symmetry_number"));
        gas.multiplicity = static_cast<int>(config.integer("vibrations.multiplicity"));
        gas.masses = masses;
        thermochemistry["ideal_gas"] =
            to_json(md::ideal_gas_thermochemistry(structure, modes.frequencies, gas), gas);
    }

    nlohmann::json result = {
        {"formula", structure.formula()},
        {"calculator", description},
        {"displacement_angstrom", config.quantity("vibrations.displacement") / units::angstrom},
        {"energy_ev", calculation.evaluation().energy / units::electronvolt},
        {"electronic_temperature_k",
         calculation.evaluation().electronic_temperature.value_or(0) / units::kelvin},
        {"max_force_ev_per_angstrom", max_force / units::electronvolt_per_angstrom},
        {"rigid_motions", modes.rigid_motions},
        {"frequencies_cm1", list(modes.frequencies / cm1)},
        {"unprojected_frequencies_cm1", list(modes.unprojected / cm1)},
        {"imaginary", modes.n_imaginary()},
        {"reduced_masses_dalton", list(modes.reduced_masses / units::dalton)},
        {"zero_point_energy_ev", modes.zero_point_energy / units::electronvolt},
        {"thermochemistry", thermochemistry},
        {"hessian_asymmetry_ev_per_angstrom2",
         calculation.asymmetry() * units::angstrom * units::angstrom / units::electronvolt},
        {"modes", modes_json(modes)},
    };
    if (intensities.size() != 0) result["infrared_km_per_mol"] = list(intensities);
    io::write_text_atomically(folder / "vibrations.json", result.dump(1) + "\n");
    write_modes(folder / "modes.extxyz", structure, modes, intensities);
    io::write_text_atomically(
        folder / "spectrum.svg",
        io::standalone_svg(spectrum(modes, intensities, config.quantity("vibrations.broadening"))));

    nlohmann::json summary = {
        {"n_atoms", structure.size()},
        {"n_modes", modes.n_modes()},
        {"imaginary", modes.n_imaginary()},
        {"zero_point_energy_ev", modes.zero_point_energy / units::electronvolt},
        {"max_force_ev_per_angstrom", max_force / units::electronvolt_per_angstrom},
        {"thermochemistry", thermochemistry},
        {"resumed", resumed},
    };
    session.info(fmt::format(
        "{} vibrations{}, zero-point energy {:.4f} eV, {:.1f} s", modes.n_modes(),
        modes.n_modes() == 0 ? ""
                             : fmt::format(" from {:.1f} to {:.1f} cm^-1", modes.frequencies.minCoeff() / cm1,
                                           modes.frequencies.maxCoeff() / cm1),
        modes.zero_point_energy / units::electronvolt, timer.seconds()));
    folder.finish({"vibrations.json", "modes.extxyz", "spectrum.svg"}, timer.seconds(), summary);
    return summary;
}

}  // namespace stembridge::app

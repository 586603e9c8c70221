// SPDX-License-Identifier: Apache-2.0
// stembridge energy: one evaluation, written as JSON.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace {

nlohmann::json rows(const Eigen::Ref<const Eigen::MatrixXd>& m) {
    nlohmann::json result = nlohmann::json::array();
    for (Eigen::Index i = 0; i < m.rows(); ++i)
        result.push_back(std::vector<double>(m.row(i).begin(), m.row(i).end()));
    return result;
}

nlohmann::json list(const Eigen::VectorXd& v) {
    return std::vector<double>(v.begin(), v.end());
}

/// A result at another electronic temperature than was asked for is not simply "ok".
const char* status_of(const Evaluation& e) {
    if (!e.converged) return "not_converged";
    return e.fallback == "electronic-temperature" ? "ok_at_higher_electronic_temperature" : "ok";
}

nlohmann::json to_json(const Evaluation& e, double seconds) {
    const auto term = [&](const char* name) {
        const auto found = e.terms.find(name);
        return found == e.terms.end() ? 0.0 : found->second;
    };
    nlohmann::json j = {
        {"status", status_of(e)},
        {"energy_hartree", e.energy},
        {"energy_zero_hartree", e.energy_zero},
        {"repulsive_hartree", term("repulsive")},
        {"dispersion_hartree", term("dispersion")},
        {"fermi_level_hartree", nullptr},
        {"charges_e", list(e.charges)},
        {"spin_moments_e", list(e.spin_moments)},
        {"forces_hartree_per_bohr", rows(e.forces.transpose())},
        {"stress_hartree_per_bohr3", nullptr},
        {"scc_iterations", e.iterations},
        {"scc_residual_e", e.residual},
        {"scc_energy_bound_hartree", e.energy_bound},
        {"scc_fallback", nullptr},
        {"electronic_temperature_k", nullptr},
        {"solver", e.solver},
        {"wall_seconds", seconds},
        {"n_orbitals", e.n_orbitals},
        {"terms_hartree", e.terms},
    };
    if (!e.fallback.empty()) j["scc_fallback"] = e.fallback;
    if (e.electronic_temperature) j["electronic_temperature_k"] = *e.electronic_temperature / units::kelvin;
    if (e.fermi_level) j["fermi_level_hartree"] = *e.fermi_level;
    if (e.stress) j["stress_hartree_per_bohr3"] = rows(*e.stress);
    return j;
}

struct Options {
    Options() : config(run_schema()) {}
    ConfigOptions config;
    std::string structure, json;
};

void run(const Options& options, Session& session) {
    const io::Config config = options.config.config();
    set_threads(static_cast<int>(config.integer("run.threads")));
    if (!options.json.empty()) require_place_for(options.json);
    const Structure structure = io::read_structure(options.structure);
    structure.validate();
    check_unpaired(config, structure, session);
    const auto calculator = make_calculator(config, structure);
    session.info(fmt::format("{}: {} atoms ({}), {}", options.structure, structure.size(),
                             structure.formula(), calculator->description()));
    Evaluation result;
    const Timer timer;
    const auto write = [&] {
        if (!options.json.empty())
            io::write_text_atomically(options.json, to_json(result, timer.seconds()).dump(1) + "\n");
    };
    try {
        calculator->evaluate(structure, {.forces = true, .stress = calculator->offers(structure).stress},
                             result, session.context());
    } catch (const ConvergenceError&) {
        write();
        throw;
    }
    write();
    session.info(fmt::format(
        "energy {:.10f} hartree ({:.6f} eV), within {:.0e} hartree of self-consistency, largest force {:.3e} "
        "eV/angstrom, {} SCC cycles, {:.2f} s",
        result.energy, result.energy / units::electronvolt, result.energy_bound,
        result.forces.colwise().norm().maxCoeff() / units::electronvolt_per_angstrom, result.iterations,
        timer.seconds()));
}

}  // namespace

void add_energy(CLI::App& program, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("energy", "Energy, forces, stress and charges of a structure");
    command->add_option("structure", options->structure, "Structure file (extxyz, POSCAR, gen, ...)")
        ->required();
    command->add_option("--json", options->json, "Where the result is written");
    options->config.add_calculator(*command);
    command->callback(
        [options, &action] { action = [options](Session& session) { run(*options, session); }; });
}

}  // namespace stembridge::app

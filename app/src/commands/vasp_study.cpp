// SPDX-License-Identifier: Apache-2.0
// stembridge vasp study: the same relaxations, adsorptions and dynamics of a run as jobs for VASP.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

#include "commands/vasp_study.hpp"
#include "configuration.hpp"
#include "stage_folder.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/io/vasp_input.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

/// VASP repeats a box in every direction: clusters keep the one they were built in.
Structure boxed(const Structure& structure) {
    return structure.cell.volume() < 1e-6 ? center_in_box(structure, 20 * units::angstrom, true) : structure;
}

/// A run folder and what its jobs have in common.
struct Study {
    fs::path run, out;
    io::Config config;  ///< of the run
    io::VaspInputOptions options;
};

/// The settings of the run that VASP knows too, over those of the command line.
io::VaspInputOptions options_of(const io::Config& config, io::VaspInputOptions options, Session& session) {
    const auto mesh = config.integers("calculator.kpoints");
    for (std::size_t k = 0; k < 3; ++k) options.kpoints[k] = static_cast<int>(mesh[k]);
    if (config.boolean("calculator.kpoints_gamma_centered")) options.kpoints_gamma_centered = true;
    options.spin_polarized = config.boolean("calculator.spin.polarized");
    if (config.has("calculator.spin.unpaired"))
        options.unpaired = static_cast<int>(std::lround(config.number("calculator.spin.unpaired")));
    options.max_force_ev_per_angstrom = config.quantity("relax.max_force") / units::electronvolt_per_angstrom;
    options.timestep_fs = config.quantity("md.timestep") / units::femtosecond;
    options.dynamics_steps = static_cast<int>(config.integer("md.steps"));
    if (config.has("calculator.kpoint_list"))
        session.warning("calculator.kpoint_list is not written: KPOINTS hold the mesh of calculator.kpoints");
    if (config.number("calculator.charge") != 0)
        session.warning(
            fmt::format("the charge of {:+g} e is not written: set NELECT, which depends on the POTCAR",
                        config.number("calculator.charge")));
    return options;
}

/// A structure with what a key ("relax.fix", "md.fix") holds fixed.
Structure held(Structure structure, const io::Config& config, const std::string& key) {
    if (config.has(key))
        for (const std::string& rule : config.texts(key)) fix_atoms(structure, rule);
    return structure;
}

/// The number of unpaired electrons of the lowest state that an adsorbate had at a site; nothing: as the run.
std::optional<int> unpaired_of(const json& job) {
    for (const json& state : job.value("spin_states", json::array()))
        if (state["energy_zero_hartree"] == job.value("energy_zero_hartree", json()) &&
            state["unpaired"].is_number())
            return state["unpaired"].get<int>();
    return std::nullopt;
}

/// One relaxation for each variant of what is held fixed.
std::string write_selective(const Study& all) {
    const auto& [run, out, config, options] = all;
    const fs::path study = run / "3-selective";
    std::string list;
    for (const json& variant : load_json(study / "selective.json").value("variants", json::array())) {
        const std::string name = variant.value("name", "");
        const fs::path start = study / name / "start.extxyz";
        if (name.empty() || !fs::exists(start)) continue;
        Structure structure = boxed(io::read_structure(start));
        for (const auto& rule : variant.value("fix", std::vector<std::string>{})) fix_atoms(structure, rule);
        io::write_vasp_relaxation(out / "selective" / name, structure, options);
        list += fmt::format("- `selective/{}/` relaxation, held fixed: {}\n", name,
                            variant["fix"].empty() ? std::string("nothing") : variant["fix"].dump());
    }
    return list;
}

/// Sheet and adsorbates alone once, then each site: E_bind = E0(sheet) + E0(alone) - E0(site).
std::string write_adsorption(const Study& all) {
    const auto& [run, out, config, common] = all;
    const fs::path study = run / "5-adsorb";
    const json adsorption = load_json(study / "adsorption.json");
    io::VaspInputOptions options = common;
    options.spin_polarized = adsorption.value("spin_polarized", false);
    // What the run names is the number of sheet and adsorbate together.
    const auto with_unpaired = [&](const std::optional<int>& unpaired) {
        io::VaspInputOptions own = options;
        own.unpaired = unpaired;
        return own;
    };
    std::string list;
    std::set<std::string> sheets, alone;
    for (const json& job : adsorption.value("jobs", json::array())) {
        const std::string name = job.value("name", ""), species = job.value("species", "");
        const fs::path start = study / "sites" / name / "start.extxyz";
        if (name.empty() || !fs::exists(start)) continue;
        const Structure system = boxed(io::read_structure(start));
        const int n_adsorbate = species == "CH" ? 2 : species == "CH2" ? 3 : species == "CH3" ? 4 : 1;
        const int n_sheet = system.size() - n_adsorbate;
        const auto part = [&](int first, int last) {
            std::vector<int> atoms;
            for (int i = first; i < last; ++i) atoms.push_back(i);
            Structure result = system.selected(atoms);
            result.cell = system.cell;  // the same box, so that its errors cancel
            return result;
        };
        const std::string sheet =
            job.value("opened", "").empty() ? "sheet" : fmt::format("sheet-of-{}", name);
        if (sheets.insert(sheet).second) {
            io::write_vasp_relaxation(out / "adsorption" / sheet, held(part(0, n_sheet), config, "relax.fix"),
                                      with_unpaired(std::nullopt));
            list += fmt::format("- `adsorption/{}/` the sheet alone\n", sheet);
        }
        if (alone.insert(species).second) {
            std::optional<int> lowest;
            const json found = adsorption.value("alone", json::object()).value(species, json::object());
            if (found.contains("unpaired") && found["unpaired"].is_number())
                lowest = found["unpaired"].get<int>();
            io::write_vasp_relaxation(out / "adsorption" / ("alone-" + species), part(n_sheet, system.size()),
                                      with_unpaired(lowest));
            list += fmt::format("- `adsorption/alone-{}/` the adsorbate alone\n", species);
        }
        const std::optional<int> lowest = unpaired_of(job);
        io::write_vasp_relaxation(out / "adsorption" / name, held(system, config, "relax.fix"),
                                  with_unpaired(lowest ? lowest : options.unpaired));
        list += fmt::format("- `adsorption/{}/` {} at {}\n", name, species, job.value("site", ""));
    }
    if (!list.empty())
        list +=
            "\nBinding energies: E0(sheet) + E0(alone) - E0(site), with E0 = energy(sigma->0). **Positive "
            "= bound.**\n";
    return list;
}

/// The temperatures that the run has dynamics of, of the relaxed structure or, where none was made of what is
/// built now, of the built one.
std::string write_dynamics(const Study& all) {
    const auto& [run, out, config, options] = all;
    const fs::path relaxed = run / "3-relax" / "relaxed.extxyz", built = run / "2-build" / "structure.extxyz";
    const fs::path start = fs::exists(relaxed) && belongs_to(run, run / "3-relax") ? relaxed : built;
    if (!fs::is_directory(run / "4-md") || !fs::exists(start)) return "";
    std::set<double> temperatures;
    for (const auto& entry : fs::directory_iterator(run / "4-md")) {
        const double kelvin = std::atof(entry.path().filename().c_str());
        if (entry.is_directory() && !is_set_aside(entry) && kelvin > 0 && belongs_to(run, entry.path()))
            temperatures.insert(kelvin);
    }
    if (temperatures.empty()) return "";
    io::write_vasp_dynamics(out / "dynamics", held(boxed(io::read_structure(start)), config, "md.fix"),
                            options, {temperatures.begin(), temperatures.end()});
    return fmt::format("- `dynamics/` {} temperatures\n", temperatures.size());
}

/// What the run has and no job is made of.
void tell_of_what_is_left_out(const Study& all, Session& session) {
    if (fs::is_directory(all.run / "6-neb"))
        session.warning("the elastic band is left out: no images are written");
    if (fs::is_directory(all.run / "4-md"))
        for (const auto& entry : fs::directory_iterator(all.run / "4-md"))
            if (entry.is_directory() && entry.path().filename().string().starts_with("schedule")) {
                session.warning(
                    "dynamics with a schedule of temperatures is left out: VASP ramps between TEBEG and "
                    "TEEND alone");
                break;
            }
    if (all.config.text("calculator.dispersion.model") != "none" && all.options.dispersion == 0)
        session.warning(fmt::format("the run has dispersion ({}), the jobs have none: --ivdw chooses one",
                                    all.config.text("calculator.dispersion.model")));
}

void study(const fs::path& run, const fs::path& out, const io::VaspInputOptions& options, Session& session) {
    if (!fs::is_directory(run))
        throw FileError(
            fmt::format("'{}' is no run folder: accepted is one of `stembridge run`", run.string()));
    if (fs::exists(out) && !fs::is_directory(out))
        throw InputError(fmt::format("--out: '{}' is a file; a folder is needed", out.string()));
    const fs::path resolved = run / "config.resolved.toml";
    const io::Config config =
        fs::exists(resolved) ? io::Config::read(resolved, run_schema()) : io::Config(run_schema());
    const Study all = {run, out, config, options_of(config, options, session)};
    const auto is_current = [&](const std::string& stage) {
        if (belongs_to(run, run / stage)) return true;
        session.warning(fmt::format("{} is left out: it began with another structure than the run holds now",
                                    (run / stage).string()));
        return false;
    };
    tell_of_what_is_left_out(all, session);
    std::string list;
    if (is_current("3-selective")) list += write_selective(all);
    if (is_current("5-adsorb")) list += write_adsorption(all);
    list += write_dynamics(all);
    const fs::path built = run / "2-build" / "structure.extxyz";
    if (fs::exists(run / "3-relax") && fs::exists(built)) {
        io::write_vasp_relaxation(out / "relaxation",
                                  held(boxed(io::read_structure(built)), config, "relax.fix"), all.options);
        list += "- `relaxation/` of the built structure\n";
    }
    if (list.empty())
        throw InputError(
            fmt::format("'{}' holds no relaxation, selective, adsorb or md stage that could be "
                        "handed to VASP",
                        run.string()));
    io::write_text_atomically(out / "README.md",
                              fmt::format("# The studies of this run as jobs for VASP\n\nEach folder is one "
                                          "job; its README.md says how to run it.\n\n{}",
                                          list));
    session.info(fmt::format("jobs are in {}; the README.md there lists them", out.string()));
}

}  // namespace

void add_vasp_study(CLI::App& vasp, Action& action) {
    struct Options {
        std::string run, out;
        io::VaspInputOptions input;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = vasp.add_subcommand(
        "study", "What a run folder did (relaxation, selective dynamics, adsorption, dynamics) as VASP jobs");
    command->add_option("run", options->run, "Run folder")->required();
    command->add_option("--out", options->out, "Folder to write")->required();
    command->add_option("--ivdw", options->input.dispersion, "IVDW: 0 none, 11 or 12 D3")
        ->capture_default_str();
    command->add_flag("--kpoints-gamma", options->input.kpoints_gamma_centered, "Centre the mesh on Gamma");
    command->callback([options, &action] {
        action = [options](Session& session) { study(options->run, options->out, options->input, session); };
    });
}

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
// stembridge vasp study: the same relaxations, adsorptions and dynamics of a run as jobs for VASP.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
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

/// One relaxation for each variant of what is held fixed.
std::string write_selective(const fs::path& run, const fs::path& out, const io::VaspInputOptions& options) {
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
std::string write_adsorption(const fs::path& run, const fs::path& out, io::VaspInputOptions options) {
    const fs::path study = run / "5-adsorb";
    const json adsorption = load_json(study / "adsorption.json");
    options.spin_polarized = adsorption.value("spin_polarized", false);
    std::string list;
    std::set<std::string> alone;
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
        if (!fs::exists(out / "adsorption" / sheet / "POSCAR")) {
            io::write_vasp_relaxation(out / "adsorption" / sheet, part(0, n_sheet), options);
            list += fmt::format("- `adsorption/{}/` the sheet alone\n", sheet);
        }
        if (alone.insert(species).second) {
            io::write_vasp_relaxation(out / "adsorption" / ("alone-" + species), part(n_sheet, system.size()),
                                      options);
            list += fmt::format("- `adsorption/alone-{}/` the adsorbate alone\n", species);
        }
        io::write_vasp_relaxation(out / "adsorption" / name, system, options);
        list += fmt::format("- `adsorption/{}/` {} at {}\n", name, species, job.value("site", ""));
    }
    if (!list.empty())
        list +=
            "\nBinding energies: E0(sheet) + E0(alone) - E0(site), with E0 = energy(sigma->0). **Positive "
            "= bound.**\n";
    return list;
}

/// The temperatures that the run has dynamics of.
std::string write_dynamics(const fs::path& run, const fs::path& out, const io::VaspInputOptions& options) {
    const fs::path relaxed = run / "3-relax" / "relaxed.extxyz";
    if (!fs::is_directory(run / "4-md") || !fs::exists(relaxed)) return "";
    std::set<double> temperatures;
    for (const auto& entry : fs::directory_iterator(run / "4-md")) {
        const double kelvin = std::atof(entry.path().filename().c_str());
        if (entry.is_directory() && kelvin > 0) temperatures.insert(kelvin);
    }
    if (temperatures.empty()) return "";
    io::write_vasp_dynamics(out / "dynamics", boxed(io::read_structure(relaxed)), options,
                            {temperatures.begin(), temperatures.end()});
    return fmt::format("- `dynamics/` {} temperatures\n", temperatures.size());
}

void study(const fs::path& run, const fs::path& out, const io::VaspInputOptions& options, Session& session) {
    if (!fs::is_directory(run))
        throw FileError(
            fmt::format("'{}' is no run folder: accepted is one of `stembridge run`", run.string()));
    if (fs::exists(out) && !fs::is_directory(out))
        throw InputError(fmt::format("--out: '{}' is a file; a folder is needed", out.string()));
    std::string list = write_selective(run, out, options);
    list += write_adsorption(run, out, options);
    list += write_dynamics(run, out, options);
    const fs::path built = run / "2-build" / "structure.extxyz";
    if (fs::exists(run / "3-relax") && fs::exists(built)) {
        io::write_vasp_relaxation(out / "relaxation", boxed(io::read_structure(built)), options);
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

// SPDX-License-Identifier: Apache-2.0
// Adsorbates at every inequivalent site of a region, and how strongly they are bound.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stages/studies.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/adsorption.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr const char* sign_convention = "positive = bound: E_sheet + E_adsorbate - E_total";

/// One adsorbate at one site.
struct Job {
    std::string name;  ///< of its folder
    std::string species;
    AdsorptionSite site;  ///< atoms count in `sheet`
    std::vector<int> sheet_origin;
    Structure sheet;  ///< it stands on: without an H that a broken bond set free
    Structure start;
    double height = 0, angle_degrees = 0;
    bool below = false;
    std::string opened;  ///< "12-13", or empty
};

bool is_closed_shell(const std::string& species) {
    static const std::vector<std::string> closed = {"He", "Ne", "Ar", "Kr", "Xe", "Be", "Mg",
                                                    "Ca", "Sr", "Ba", "Zn", "Cd", "Hg"};
    return std::find(closed.begin(), closed.end(), species) != closed.end();
}

SiteOptions site_options(const io::Config& config, const Structure& sheet, Session& session) {
    SiteOptions options;
    options.kinds = config.texts("adsorb.sites");
    options.radius = config.quantity("adsorb.radius");
    options.inequivalent = config.boolean("adsorb.inequivalent");
    options.environment = config.quantity("adsorb.environment");
    options.tolerance = config.quantity("adsorb.tolerance");
    options.centre = middle_of_study(config, sheet, session);
    return options;
}

/// The bonds that adsorb.break names for a site: none, the one under it, or those given.
std::vector<std::pair<int, int>> bonds_to_break(const io::Config& config, const AdsorptionSite& site) {
    std::vector<std::pair<int, int>> result;
    if (!config.has("adsorb.break")) return result;
    for (const std::string& text : config.texts("adsorb.break")) {
        if (text == "site") {
            if (site.kind == "bridge") result.emplace_back(site.atoms[0], site.atoms[1]);
            continue;
        }
        int i = 0, j = 0, end = 0;
        if (std::sscanf(text.c_str(), "%d-%d%n", &i, &j, &end) != 2 || end != static_cast<int>(text.size()))
            throw InputError(
                fmt::format("{}: '{}' is no bond; accepted are \"site\" and pairs of atoms "
                            "counted from 1 such as \"12-13\"",
                            config.where("adsorb.break"), text));
        result.emplace_back(i - 1, j - 1);
    }
    return result;
}

/// Opens bonds of the sheet one by one; atoms are followed through those that go.
void open_bonds(Job& job, const std::vector<std::pair<int, int>>& bonds, double length) {
    const int n_atoms = job.sheet.size();
    for (const auto& [i, j] : bonds) {
        if (std::min(i, j) < 0 || std::max(i, j) >= n_atoms)
            throw InputError(
                fmt::format("adsorb.break: the bond {}-{} is none of the sheet, which has atoms 1 to {}",
                            i + 1, j + 1, n_atoms));
        const auto now = [&](int atom) {
            const auto found = std::find(job.sheet_origin.begin(), job.sheet_origin.end(), atom);
            return found == job.sheet_origin.end() ? -1 : static_cast<int>(found - job.sheet_origin.begin());
        };
        const OpenedBond opened = with_open_bond(job.start, now(i), now(j), length);
        std::vector<int> origin;
        for (const int atom : opened.origin)
            origin.push_back(job.sheet_origin[static_cast<std::size_t>(atom)]);
        job.start = opened.structure;
        job.sheet = job.sheet.selected(opened.origin);
        job.sheet_origin = std::move(origin);
        job.opened += fmt::format("{}{}-{}", job.opened.empty() ? "" : ",", i + 1, j + 1);
    }
    // The site is known by its atoms in the sheet that is left.
    for (int& atom : job.site.atoms) {
        const auto found = std::find(job.sheet_origin.begin(), job.sheet_origin.end(), atom);
        if (found == job.sheet_origin.end())
            throw InputError(fmt::format("the site over atom {} is gone with the bond", atom + 1));
        atom = static_cast<int>(found - job.sheet_origin.begin());
    }
}

std::vector<Job> jobs_of(const io::Config& config, const Structure& sheet,
                         const std::vector<std::string>& species, Session& session) {
    std::vector<AdsorptionSite> sites = adsorption_sites(sheet, site_options(config, sheet, session));
    const auto most = static_cast<std::size_t>(config.integer("adsorb.max_sites"));
    session.info(fmt::format("{} inequivalent sites in the region", sites.size()));
    if (most != 0 && sites.size() > most) {
        session.info(fmt::format("  the {} nearest to its middle are taken", most));
        sites.resize(most);
    }
    std::vector<bool> sides = {false};
    if (config.text("adsorb.side") == "below") sides = {true};
    if (config.text("adsorb.side") == "both") sides = {false, true};
    std::vector<Job> jobs;
    for (const std::string& name : species) {
        const bool is_group = adsorbate_species(name).n_hydrogen > 0;
        const std::vector<double> angles =
            is_group ? config.numbers("adsorb.orientations_degrees") : std::vector<double>{0};
        for (std::size_t k = 0; k < sites.size(); ++k) {
            std::vector<double> heights = {natural_height(sheet, sites[k], name)};
            if (config.has("adsorb.heights")) heights = config.quantities("adsorb.heights");
            for (const bool below : sides)
                for (const double height : heights)
                    for (const double angle : angles) {
                        Job job;
                        job.species = name;
                        job.site = sites[k];
                        job.height = height;
                        job.angle_degrees = angle;
                        job.below = below;
                        job.sheet = job.start = sheet;
                        for (int i = 0; i < sheet.size(); ++i) job.sheet_origin.push_back(i);
                        open_bonds(job, bonds_to_break(config, sites[k]),
                                   config.quantity("adsorb.break_length"));
                        job.start =
                            with_adsorbate(job.start, job.site, name, height, angle * M_PI / 180, below);
                        std::string title = sites[k].name();
                        std::replace(title.begin(), title.end(), ' ', '-');
                        job.name = fmt::format("{}-{:02}-{}", name, k + 1, title);
                        if (heights.size() > 1) job.name += fmt::format("-{:.2f}A", height / units::angstrom);
                        if (angles.size() > 1) job.name += fmt::format("-{:g}deg", angle);
                        if (sides.size() > 1) job.name += below ? "-below" : "-above";
                        jobs.push_back(std::move(job));
                    }
        }
    }
    return jobs;
}

/// The lowest spin state of the adsorbate alone: all numbers of unpaired electrons up to six are tried.
struct Alone {
    double energy_zero = 0;  ///< hartree
    std::optional<int> unpaired;
    double electronic_temperature_k = 0;
};

Alone relax_alone(const io::Config& config, const std::string& species, bool polarized,
                  const fs::path& folder, Session& session) {
    const Structure start = center_in_box(adsorbate_alone(species), 20 * units::angstrom);
    io::Config own = config;
    own.set("relax.fix", "[\"none\"]", "adsorb");
    own.set("relax.cell", "none", "adsorb");
    own.unset("calculator.kpoints");
    own.unset("calculator.kpoint_list");
    own.unset("calculator.charge");
    own.unset("calculator.spin.unpaired");
    if (!polarized) {
        const StudyRelaxation run = relax_in_study(own, start, folder / "unpolarized", session);
        if (!run.relaxed) throw NumericalError(fmt::format("{} alone: {}", species, run.error));
        return {run.results.value("energy_zero_hartree", std::nan("")), std::nullopt,
                electronic_temperature_k(run)};
    }
    const SpinState best = lowest_spin_state(own, start, folder, possible_spin_states(start, 0), session);
    if (!best.run.relaxed) throw NumericalError(fmt::format("{} alone: {}", species, best.run.error));
    if (best.unpaired)
        session.info(fmt::format("{} alone: lowest with {} unpaired electrons", species, *best.unpaired));
    return {best.run.results.value("energy_zero_hartree", std::nan("")), best.unpaired,
            electronic_temperature_k(best.run)};
}

/// Where the adsorbate ended: over which site, how high, how far from which atoms.
json place_of(const Structure& relaxed, int n_sheet) {
    std::vector<int> rest;
    for (int i = 0; i < n_sheet; ++i) rest.push_back(i);
    const Structure sheet = relaxed.selected(rest);
    const Eigen::Vector3d at = relaxed.positions.col(n_sheet);
    std::vector<Neighbor> around;  // heavy atoms of the sheet, the nearest first
    const NeighborList list(relaxed, 6 * units::angstrom);
    for (const Neighbor& n : list.of(n_sheet))
        if (n.j < n_sheet && sheet.atomic_numbers[static_cast<std::size_t>(n.j)] != 1) around.push_back(n);
    std::sort(around.begin(), around.end(),
              [](const Neighbor& a, const Neighbor& b) { return a.distance < b.distance; });
    json distances = json::array(), atoms = json::array();
    double rise = 0;
    int n_level = 0;
    for (const Neighbor& n : around) {
        if (n.distance < BondCriteria{}.limit(relaxed.atomic_numbers[static_cast<std::size_t>(n.j)],
                                              relaxed.atomic_numbers[static_cast<std::size_t>(n_sheet)])) {
            distances.push_back(n.distance / units::angstrom);
            atoms.push_back(n.j + 1);
        }
        // The sheet around it, without the atoms that it may have pulled out.
        if (n.distance > 3 * units::angstrom) {
            rise -= n.r_ij(2);
            ++n_level;
        }
    }
    const AdsorptionSite site = nearest_site(sheet, at);
    return {
        {"site", site.name()},
        {"kind", site.kind},
        {"height_angstrom", n_level == 0 ? json(nullptr) : json(std::abs(rise / n_level) / units::angstrom)},
        {"nearest_angstrom",
         around.empty() ? json(nullptr) : json(around.front().distance / units::angstrom)},
        {"bonds_angstrom", distances},
        {"bonded_to", atoms}};
}

std::string csv_of(const json& summary) {
    std::ostringstream csv;
    csv << "name,species,site,multiplicity,start_height_angstrom,angle_degrees,side,opened,status,"
           "binding_energy_ev_positive_bound,end_site,height_angstrom,nearest_angstrom,moment\n";
    const auto text = [](const json& value) { return value.is_null() ? std::string() : value.dump(); };
    for (const json& job : summary["jobs"]) {
        const json place = job.value("place", json::object());
        csv << fmt::format(
            "{},{},{},{},{:.4f},{:g},{},{},{},{},{},{},{},{}\n", job["name"].get<std::string>(),
            job["species"].get<std::string>(), job["site"].get<std::string>(), job["multiplicity"].get<int>(),
            job["start_height_angstrom"].get<double>(), job["angle_degrees"].get<double>(),
            job["side"].get<std::string>(), "\"" + job["opened"].get<std::string>() + "\"",
            job["status"].get<std::string>(), text(job.value("binding_energy_ev", json(nullptr))),
            place.value("site", ""), text(place.value("height_angstrom", json(nullptr))),
            text(place.value("nearest_angstrom", json(nullptr))), text(job.value("moment", json(nullptr))));
    }
    return csv.str();
}

}  // namespace

bool study_is_spin_polarized(const io::Config& config, const std::vector<std::string>& species) {
    const std::string& spin = config.text("adsorb.spin");
    if (spin != "auto") return spin == "on";
    return !std::all_of(species.begin(), species.end(), is_closed_shell);
}

std::optional<Eigen::Vector2d> middle_of_study(const io::Config& config, const Structure& sheet,
                                               Session& session) {
    if (config.has("adsorb.center_angstrom")) {
        const auto center = config.numbers("adsorb.center_angstrom");
        return Eigen::Vector2d(center[0], center[1]) * units::angstrom;
    }
    const BondGraph graph(sheet);
    for (const Defect& defect : find_defects(sheet, graph, find_rings(graph), find_edges(sheet, graph))) {
        if (defect.kind == "hole") continue;
        session.info(fmt::format("middle of the sites: the largest defect, {}, at ({:.2f}, {:.2f}) angstrom",
                                 defect.kind, defect.centre(0) / units::angstrom,
                                 defect.centre(1) / units::angstrom));
        return defect.centre.head<2>();
    }
    return std::nullopt;
}

json adsorption(const io::Config& config, const Structure& sheet, const fs::path& folder, Session& session) {
    if (!config.has("adsorb.species") || config.texts("adsorb.species").empty())
        throw InputError("adsorb.species is not given: an element or CH, CH2, CH3");
    const std::vector<std::string> species = config.texts("adsorb.species");
    sheet.validate();
    const bool polarized = study_is_spin_polarized(config, species);
    io::Config own = config;
    own.set("calculator.spin.polarized", polarized ? "true" : "false", "adsorb.spin");
    std::vector<Job> jobs = jobs_of(own, sheet, species, session);
    std::set<std::set<int>> asked;  // elements whose tables are there
    if (config.boolean("adsorb.relax"))
        for (const Job& job : jobs) {
            const std::vector<int>& elements = job.start.atomic_numbers;
            if (asked.emplace(elements.begin(), elements.end()).second) require_tables(own, job.start);
        }
    session.info(fmt::format("{} starts, {}; E_bind is {}", jobs.size(),
                             polarized ? "spin-polarised" : "not spin-polarised", sign_convention));
    json summary = {{"sign_convention", sign_convention},
                    {"spin_polarized", polarized},
                    {"sheet", sheet.formula()},
                    {"alone", json::object()},
                    {"jobs", json::array()}};
    const auto save = [&] {
        io::write_text_atomically(folder / "adsorption.json", summary.dump(2) + "\n");
        io::write_text_atomically(folder / "adsorption.csv", csv_of(summary));
    };
    make_folder(folder);
    const bool relaxing = config.boolean("adsorb.relax");

    // References: the sheet (more than one where an H has gone), and each adsorbate alone.
    struct Sheet {
        double energy_zero, electronic_temperature_k;
    };
    std::map<std::vector<int>, Sheet> sheets;
    std::map<std::string, Alone> alone;
    if (relaxing)
        for (const std::string& name : species) {
            session.info(name + " alone");
            alone[name] = relax_alone(own, name, polarized, folder / "alone" / name, session);
            summary["alone"][name] = {
                {"energy_zero_hartree", alone[name].energy_zero},
                {"unpaired", alone[name].unpaired ? json(*alone[name].unpaired) : json(nullptr)},
                {"electronic_temperature_k", alone[name].electronic_temperature_k}};
        }
    // The unpaired electrons that the user names are those of sheet and adsorbate together.
    io::Config of_sheet_alone = own;
    of_sheet_alone.unset("calculator.spin.unpaired");
    const auto sheet_alone = [&](const Job& job) {
        const auto found = sheets.find(job.sheet_origin);
        if (found != sheets.end()) return found->second;
        const fs::path place =
            folder / (job.sheet.size() == sheet.size() ? std::string("sheet")
                                                       : fmt::format("sheet-{}", sheets.size() + 1));
        session.info(fmt::format("{} alone", job.sheet.formula()));
        const StudyRelaxation run = relax_in_study(of_sheet_alone, job.sheet, place, session);
        if (!run.relaxed) throw NumericalError("the sheet alone: " + run.error);
        return sheets[job.sheet_origin] = {run.results.value("energy_zero_hartree", std::nan("")),
                                           electronic_temperature_k(run)};
    };

    int n_done = 0;
    for (std::size_t k = 0; k < jobs.size(); ++k) {
        const Job& job = jobs[k];
        json entry = {{"name", job.name},
                      {"species", job.species},
                      {"site", job.site.name()},
                      {"kind", job.site.kind},
                      {"atoms", json::array()},
                      {"position_angstrom",
                       {job.site.position(0) / units::angstrom, job.site.position(1) / units::angstrom,
                        job.site.position(2) / units::angstrom}},
                      {"multiplicity", job.site.multiplicity},
                      {"start_height_angstrom", job.height / units::angstrom},
                      {"angle_degrees", job.angle_degrees},
                      {"side", job.below ? "below" : "above"},
                      {"opened", job.opened}};
        for (const int atom : job.site.atoms)
            entry["atoms"].push_back(job.sheet_origin[static_cast<std::size_t>(atom)] + 1);
        const fs::path place = folder / "sites" / job.name;
        if (!relaxing) {
            make_folder(place);
            io::write_structure(place / "start.extxyz", job.start);
            entry["status"] = "not relaxed";
            summary["jobs"].push_back(entry);
            continue;
        }
        const auto [of_sheet, sheet_temperature_k] = sheet_alone(job);
        session.info(fmt::format("site {} of {}: {} at {}{}", k + 1, jobs.size(), job.species,
                                 job.site.name(),
                                 job.opened.empty() ? "" : ", bond " + job.opened + " opened"));
        // With a free moment, and with as many unpaired electrons as the adsorbate has alone: the lower one
        // counts.
        std::vector<std::optional<int>> states = {std::nullopt};
        if (!config.has("calculator.spin.unpaired"))
            if (const auto& unpaired = alone.at(job.species).unpaired) states.push_back(unpaired);
        const SpinState state = lowest_spin_state(own, job.start, place, states, session);
        const StudyRelaxation& run = state.run;
        entry["status"] = run.status;
        entry["folder"] = fs::relative(state.folder, folder).generic_string();
        entry["spin_states"] = state.tried;
        if (run.relaxed) {
            ++n_done;
            const double total = run.results.value("energy_zero_hartree", std::nan(""));
            const double bound = of_sheet + alone.at(job.species).energy_zero - total;
            entry["energy_zero_hartree"] = total;
            entry["sheet_energy_zero_hartree"] = of_sheet;
            entry["binding_energy_ev"] = bound / units::electronvolt;
            entry["electronic_temperature_k"] = electronic_temperature_k(run);
            if (const auto warning = tell_of_temperatures({electronic_temperature_k(run), sheet_temperature_k,
                                                           alone.at(job.species).electronic_temperature_k},
                                                          job.name, session))
                entry["warning"] = *warning;
            entry["moment"] = run.results.value("total_moment", json(nullptr));
            entry["force_evaluations"] = run.results.value("force_evaluations", 0);
            entry["place"] = place_of(*run.relaxed, job.sheet.size());
            session.info(fmt::format("  E_bind = {:+.3f} eV ({}), ends at {}, {:.2f} angstrom high",
                                     bound / units::electronvolt, sign_convention,
                                     entry["place"]["site"].get<std::string>(),
                                     entry["place"]["height_angstrom"].is_number()
                                         ? entry["place"]["height_angstrom"].get<double>()
                                         : std::nan("")));
        } else {
            entry["error"] = run.error;
            session.warning(fmt::format("{}: {}", job.name, run.error));
        }
        summary["jobs"].push_back(entry);
        save();
    }
    save();
    if (relaxing && n_done == 0) throw NumericalError("no adsorbate could be relaxed at any site");
    return summary;
}

}  // namespace stembridge::app

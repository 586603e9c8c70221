// SPDX-License-Identifier: Apache-2.0
// What the report shows of the region and of the studies of one structure.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "csv_log.hpp"
#include "stage_folder.hpp"
#include "stages/studies.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/md/elastic_band.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

std::string shown(const json& value, int decimals) {
    if (!value.is_number()) return "–";
    return fmt::format("{:.{}f}", value.get<double>(), decimals);
}

/// Energy with its sign, eV; a dash where there is none.
std::string signed_energy(const json& value) {
    return value.is_number() ? fmt::format("{:+.3f}", value.get<double>()) : "–";
}

std::vector<Eigen::Vector2d> points_of(const json& list) {
    std::vector<Eigen::Vector2d> points;
    for (const auto& point : list) points.emplace_back(point[0].get<double>(), point[1].get<double>());
    return points;
}

io::StructureView view_of(const std::string& name, const std::string& caption, const Structure& structure,
                          bool y_down) {
    const io::ReportStructure content = io::report_structure(structure);
    io::StructureView view;
    view.name = name;
    view.caption = caption;
    view.structure = structure;
    view.bonds = content.bonds;
    view.rings = content.analysis.rings;
    view.y_down = y_down;
    return view;
}

// --- region

std::string choice_in_words(const std::string& by) {
    if (by == "none") return "the whole frame";
    if (by == "nearest") return "atoms nearest to a point";
    if (by == "radius") return "a circle";
    if (by == "polygon") return "a polygon";
    if (by == "defect") return "atoms around a defect";
    if (by == "random") return "one of several patches drawn at random";
    return by == "uncertain" ? "the patch whose positions are least certain"
                             : "the patch whose positions are most certain";
}

io::ReportTable choices_of(const json& region, double clean_share) {
    io::ReportTable table;
    table.rows = {{"region", choice_in_words(region.value("by", "none"))},
                  {"cell", region.value("cell", "cluster")},
                  {"atoms left out below a probability of", shown(region["min_probability"], 2)},
                  {"and with positions less certain than", region["max_sigma_angstrom"].is_number()
                                                               ? shown(region["max_sigma_angstrom"], 3) + " Å"
                                                               : std::string("no limit")},
                  {"contaminated share of the frame", fmt::format("{:.1f} %", 100 * (1 - clean_share))},
                  {"atoms at the rim of contamination",
                   region.value("contamination", "") == "exclude" ? "taken out" : "kept"},
                  {"amorphous parts", region.value("amorphous", "")},
                  {"amorphous atoms left out", std::to_string(region.value("amorphous_atoms", 0))}};
    return table;
}

io::ReportTable patches_table(const json& patches) {
    io::ReportTable table;
    const bool random = patches.front().contains("similarity");
    table.head = random
                     ? std::vector<std::string>{"patch", "built", "shows of the frame", "with those before"}
                     : std::vector<std::string>{"patch", "atoms", "mean uncertainty"};
    for (std::size_t k = 0; k < patches.size(); ++k) {
        const json& patch = patches[k];
        if (random)
            table.rows.push_back({std::to_string(k), patch.value("formula", ""),
                                  fmt::format("{:.1f} %", 100 * patch.value("similarity", 0.0)),
                                  fmt::format("{:.1f} %", 100 * patch.value("joint_similarity", 0.0))});
        else
            table.rows.push_back({std::to_string(k), std::to_string(patch.value("n_atoms", 0)),
                                  shown(patch["mean_uncertainty"], 4)});
    }
    return table;
}

// --- selective dynamics

std::string rules_in_words(const json& rules) {
    std::string text;
    for (const auto& rule : rules) text += (text.empty() ? "" : ", ") + rule.get<std::string>();
    return text.empty() ? "nothing" : text;
}

// --- adsorption

std::vector<io::SiteMark> marks_of(const json& jobs, const std::string& species) {
    std::vector<io::SiteMark> marks;
    int number = 0;
    for (const json& job : jobs) {
        ++number;
        if (job.value("species", "") != species) continue;
        io::SiteMark mark;
        const json& at = job["position_angstrom"];
        mark.position =
            Eigen::Vector3d(at[0].get<double>(), at[1].get<double>(), at[2].get<double>()) * units::angstrom;
        if (job.contains("binding_energy_ev") && job["binding_energy_ev"].is_number())
            mark.value = job["binding_energy_ev"].get<double>();
        mark.label = std::to_string(number);
        marks.push_back(mark);
    }
    return marks;
}

}  // namespace

std::optional<io::ReportSection> region_section(const fs::path& run,
                                                const std::optional<io::ReportFrame>& frame,
                                                double clean_share) {
    const json built = load_json(run / "2-build" / "build.json");
    if (!frame || !built.contains("region") || frame->image.pixels.size() == 0) return std::nullopt;
    const json& region = built["region"];
    if (!region.contains("min_probability")) return std::nullopt;  // built from a structure
    io::ReportSection section;
    section.id = "region";
    section.title = "Region";
    section.early = true;
    section.lead = fmt::format("Cut out: {}. What is shaded or crossed counts as vacuum.",
                               choice_in_words(region.value("by", "none")));
    io::MicrographView view;
    view.name = "region";
    view.caption = "The frame with the region that was cut out and what was left out";
    view.image = frame->image;
    view.pixel_size_angstrom = frame->pixel_size_angstrom;
    view.outline_px = frame->outline_px;
    view.left_out_px = points_of(built.value("left_out_px", json::array()));
    const json patches = built.value("patches", json::array());
    for (const json& patch : patches)
        if (patch.contains("outline_px")) view.other_outlines_px.push_back(points_of(patch["outline_px"]));
    const fs::path mask = run / "1-detect" / "region.npy";
    if (region.value("contamination", "") == "exclude" && fs::exists(mask)) {
        view.trusted = io::read_image(mask).pixels;
        if (view.trusted.rows() != view.image.pixels.rows() ||
            view.trusted.cols() != view.image.pixels.cols())
            view.trusted.resize(0, 0);
    }
    section.blocks.push_back({"", io::draw(view), "", std::nullopt, {}, false});
    section.blocks.push_back({"Choices", std::nullopt, "", choices_of(region, clean_share), {}, false});
    if (!patches.empty())
        section.blocks.push_back(
            {"Patches",
             std::nullopt,
             "",
             patches_table(patches),
             {patches.front().contains("similarity")
                  ? "An atom's local environment: its element, its neighbours' elements and the sizes of the "
                    "rings at it, and the same of its neighbours. Shown = the share of the frame's atoms "
                    "whose environment occurs in the patch."
                  : "Mean over the atoms of the patch."},
             false});
    if (built.contains("periodic_cell") && built["periodic_cell"].is_object()) {
        const json& cell = built["periodic_cell"];
        const auto length = [](const json& v) {
            return fmt::format("{:.3f} Å", std::hypot(v[0].get<double>(), v[1].get<double>()));
        };
        io::ReportTable table;
        table.rows = {
            {"lattice", cell.value("lattice", "")},
            {"primitive vectors",
             length(cell["primitive_angstrom"][0]) + ", " + length(cell["primitive_angstrom"][1])},
            {"atoms in the primitive cell", std::to_string(cell.value("atoms_in_primitive_cell", 0))},
            {"distance of the atoms from it", shown(cell["residual_angstrom"], 3) + " Å"},
            {"cell", length(cell["cell_angstrom"][0]) + " × " + length(cell["cell_angstrom"][1])},
            {"strain xx, yy, xy", shown(cell["strain"][0][0], 4) + ", " + shown(cell["strain"][1][1], 4) +
                                      ", " + shown(cell["strain"][0][1], 4)}};
        section.blocks.push_back({"Periodic cell", std::nullopt, "", table, {}, false});
    }
    section.json = json{{"choices", region},
                        {"patches", patches},
                        {"periodic_cell", built.value("periodic_cell", json(nullptr))},
                        {"left_out", view.left_out_px.size()}}
                       .dump();
    return section;
}

std::optional<io::ReportSection> selective_section(const fs::path& run, bool y_down) {
    const json study = load_json(run / "3-selective" / "selective.json");
    if (!study.contains("variants") || !belongs_to(run, run / "3-selective")) return std::nullopt;
    io::ReportSection section;
    section.id = "selective";
    section.title = "Selective dynamics";
    section.lead =
        "The same structure relaxed with different coordinates held fixed. Energies are above the lowest "
        "variant; fixed coordinates are compared bit by bit.";
    double lowest = std::numeric_limits<double>::infinity();
    for (const json& v : study["variants"])
        if (v.contains("energy_zero_hartree") && v["energy_zero_hartree"].is_number())
            lowest = std::min(lowest, v["energy_zero_hartree"].get<double>());
    io::ReportTable table;
    table.head = {"variant", "held fixed",       "energy / eV",     "C–C / Å",     "C–C min – max / Å",
                  "C–H / Å", "largest move / Å", "corrugation / Å", "fixed, moved"};
    std::vector<std::string> failures;
    for (const json& v : study["variants"]) {
        const std::string name = v.value("name", "");
        if (v.value("status", "") != "done") {
            failures.push_back(name + ": " + v.value("error", "failed"));
            table.rows.push_back(
                {name, rules_in_words(v["fix"]), v.value("status", ""), "–", "–", "–", "–", "–", "–"});
            continue;
        }
        const auto bond = [&](const char* pair, const char* which) {
            return v[pair].is_object() ? shown(v[pair][which], 3) : std::string("–");
        };
        table.rows.push_back(
            {name, rules_in_words(v["fix"]),
             fmt::format("{:.3f}", (v["energy_zero_hartree"].get<double>() - lowest) / units::electronvolt),
             bond("cc_angstrom", "mean") + " ± " + bond("cc_angstrom", "std"),
             bond("cc_angstrom", "min") + " – " + bond("cc_angstrom", "max"), bond("ch_angstrom", "mean"),
             shown(v["largest_move_angstrom"], 3), shown(v["corrugation_angstrom"], 2),
             fmt::format("{}, {}", v.value("fixed_coordinates", 0),
                         v.value("fixed_coordinates_that_moved", 0))});
    }
    section.blocks.push_back({"", std::nullopt, "", table, failures, true});
    for (const json& v : study["variants"]) {
        const std::string name = v.value("name", "");
        const fs::path folder = run / "3-selective" / name;
        if (v.value("status", "") != "done" || !fs::exists(folder / "relaxed.extxyz")) continue;
        const Structure start = io::read_structure(folder / "start.extxyz");
        const Structure relaxed = io::read_structure(folder / "relaxed.extxyz");
        io::StructureView view = view_of("selective-" + name, "Variant " + name, start, y_down);
        view.structure.fixed = relaxed.fixed;
        view.displacements = relaxed.positions - start.positions;
        view.side_structure = relaxed;
        view.side_bonds = BondGraph(relaxed).bonds();
        // Small moves are drawn longer, large ones shorter, so that arrows stay within a ring.
        const double largest = view.displacements.topRows<2>().colwise().norm().maxCoeff();
        view.displacement_scale =
            io::nice_length(std::min(5.0, 3 * units::angstrom / std::max(largest, 1e-6)));
        section.blocks.push_back(
            {name,
             io::draw(view),
             fmt::format("Held fixed: {}. {}", rules_in_words(v["fix"]),
                         largest < 0.01 * units::angstrom
                             ? "Atoms keep their places seen from above."
                             : fmt::format("Arrows show where each atom goes, {:g} times as long.",
                                           view.displacement_scale)),
             std::nullopt,
             {},
             false});
    }
    section.json = study.dump();
    return section;
}

std::optional<io::ReportSection> adsorption_section(const fs::path& run, bool y_down) {
    const fs::path folder = run / "5-adsorb";
    const json study = load_json(folder / "adsorption.json");
    if (!study.contains("jobs") || study["jobs"].empty() || !belongs_to(run, folder)) return std::nullopt;
    const json& jobs = study["jobs"];
    io::ReportSection section;
    section.id = "adsorption";
    section.title = "Adsorption";
    const bool polarized = study.value("spin_polarized", false);
    section.lead = fmt::format(
        "Binding energies are E_sheet + E_adsorbate − E_total: positive = bound (part of "
        "the literature prints the opposite sign). {}",
        polarized ? "Everything spin-polarised." : "Not spin-polarised: open shells bind too strongly.");
    io::ReportTable table;
    table.head = {
        "",        "species",    "starts at",        "opened",      "E_bind / eV (positive = bound)",
        "ends at", "height / Å", "nearest atom / Å", "moment / μB", "equivalent sites"};
    std::vector<std::string> lines, failures;
    std::vector<std::string> species;
    int number = 0;
    for (const json& job : jobs) {
        ++number;
        const std::string name = job.value("species", "");
        if (std::find(species.begin(), species.end(), name) == species.end()) species.push_back(name);
        const json place = job.value("place", json::object());
        std::string start = job.value("site", "");
        if (job.value("angle_degrees", 0.0) != 0)
            start += fmt::format(", {:g}°", job["angle_degrees"].get<double>());
        if (job.value("side", "") == "below") start += ", below";
        const bool done = job.value("status", "") == "done";
        const json none = nullptr;
        table.rows.push_back(
            {std::to_string(number), name, start,
             job.value("opened", "").empty() ? "–" : job.value("opened", ""),
             done ? signed_energy(job.value("binding_energy_ev", none)) : job.value("status", ""),
             place.value("site", "–"), shown(place.value("height_angstrom", none), 2),
             shown(place.value("nearest_angstrom", none), 3), shown(job.value("moment", none), 1),
             std::to_string(job.value("multiplicity", 1))});
        if (job.contains("error"))
            failures.push_back(
                fmt::format("{}. {}: {}", number, job.value("name", ""), job["error"].get<std::string>()));
    }
    const json all_alone = study.value("alone", json::object());  // items() refers to it
    for (const auto& [name, alone] : all_alone.items())
        if (alone.contains("unpaired") && alone["unpaired"].is_number())
            lines.push_back(fmt::format("{} alone is lowest with {} unpaired electrons.", name,
                                        alone["unpaired"].get<int>()));
    lines.insert(lines.end(), failures.begin(), failures.end());
    // Sites of the sheet, coloured by energy.
    const fs::path relaxed_sheet = folder / "sheet" / "relaxed.extxyz";
    const fs::path first = folder / "sites" / jobs.front().value("name", "") / "start.extxyz";
    if (fs::exists(relaxed_sheet) || fs::exists(first)) {
        const Structure sheet = io::read_structure(
            fs::exists(folder / "sheet" / "start.extxyz") ? folder / "sheet" / "start.extxyz" : first);
        for (const std::string& name : species) {
            io::StructureView view =
                view_of("sites-" + name, name + ": sites coloured by binding energy", sheet, y_down);
            view.side = false;
            view.marks = marks_of(jobs, name);
            view.marks_label = "binding energy / eV, positive = bound";
            section.blocks.push_back({name,
                                      io::draw(view),
                                      "Where each start was, with its number in the table. Hollow: not "
                                      "relaxed.",
                                      std::nullopt,
                                      {},
                                      false});
        }
    }
    // The strongest bound of each species.
    for (const std::string& name : species) {
        const json* best = nullptr;
        for (const json& job : jobs)
            if (job.value("species", "") == name && job.value("binding_energy_ev", json()).is_number() &&
                (best == nullptr ||
                 job["binding_energy_ev"].get<double>() > (*best)["binding_energy_ev"].get<double>()))
                best = &job;
        if (best == nullptr) continue;
        const fs::path file =
            folder / best->value("folder", "sites/" + best->value("name", "")) / "relaxed.extxyz";
        if (!fs::exists(file)) continue;
        io::StructureView view = view_of("bound-" + name, name + " where it is bound most strongly",
                                         io::read_structure(file), y_down);
        section.blocks.push_back(
            {name + ", strongest bound",
             io::draw(view),
             fmt::format("Start at {}, E_bind = {} eV (positive = bound).", best->value("site", ""),
                         signed_energy((*best)["binding_energy_ev"])),
             std::nullopt,
             {},
             false});
    }
    section.blocks.push_back({"Sites", std::nullopt, "", table, lines, true});
    section.json = study.dump();
    return section;
}

namespace {

/// A path of the run as its folder holds it.
struct Path {
    std::string name, title;
    json band;
    md::BandProfile profile;
    std::vector<Structure> images;
};

/// The folders of a run with a path in them, by name.
std::vector<fs::path> path_folders(const fs::path& run) {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(run))
        if (!is_set_aside(entry) && fs::exists(entry.path() / "neb.json") &&
            fs::exists(entry.path() / "profile.csv") && belongs_to(run, entry.path()))
            folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    return folders;
}

Path read_path(const fs::path& folder) {
    Path path;
    path.name = folder.filename().string();
    path.title = load_json(folder / "ends.json").value("title", path.name);
    path.band = load_json(folder / "neb.json");
    const auto columns =
        read_csv(folder / "profile.csv", {"length_angstrom", "energy_ev", "slope_ev_per_angstrom"});
    path.profile = {columns.at("length_angstrom"), columns.at("energy_ev"),
                    columns.at("slope_ev_per_angstrom")};
    for (double& x : path.profile.length) x *= units::angstrom;
    for (double& x : path.profile.energy) x *= units::electronvolt;
    for (double& x : path.profile.slope) x *= units::electronvolt_per_angstrom;
    if (fs::exists(folder / "path.extxyz"))
        for (const io::Frame& frame : io::read_trajectory(folder / "path.extxyz"))
            path.images.push_back(frame.structure);
    return path;
}

io::ReportBlock curve_of(const Path& path) {
    return {path.title,
            io::draw(io::EnergyPath{.name = "barrier-" + path.name,
                                    .caption = "Energy along the path " + path.title,
                                    .length = path.profile.length,
                                    .energy = path.profile.energy,
                                    .energy_between = [&](double s) { return path.profile.at(s); }}),
            path.band.value("status", "") == "ok" ? "Bars: the images of the band."
                                                  : "The band is not at rest yet.",
            std::nullopt,
            {},
            false};
}

/// Both ends and the saddle; at the saddle with the way along the path, from the image before to the one
/// after.
std::vector<io::ReportBlock> pictures_of(const Path& path, bool y_down) {
    std::vector<io::ReportBlock> blocks;
    const auto saddle = static_cast<std::size_t>(path.band.value("saddle_image", 0));
    if (path.images.size() < 3 || saddle >= path.images.size()) return blocks;
    const auto block = [&](std::size_t image, const std::string& which, const std::string& title) {
        io::StructureView view = view_of("barrier-" + path.name + "-" + which, path.title + ", " + title,
                                         path.images[image], y_down);
        view.side = which == "saddle";
        std::string caption;
        if (which == "saddle") {
            view.displacements = path.images[image + 1].positions - path.images[image - 1].positions;
            const double largest = view.displacements.colwise().norm().maxCoeff();
            view.displacement_scale = io::nice_length(1.5 * units::angstrom / std::max(largest, 1e-6));
            caption =
                view.displacement_scale == 1
                    ? "Arrows: from the image before it to the one after it."
                    : fmt::format("Arrows: from the image before it to the one after it, {:g} times as long.",
                                  view.displacement_scale);
        }
        blocks.push_back({title, io::draw(view), caption, std::nullopt, {}, false});
    };
    if (saddle > 0 && saddle + 1 < path.images.size()) block(saddle, "saddle", "Saddle");
    block(0, "start", "Start");
    block(path.images.size() - 1, "end", "End");
    return blocks;
}

}  // namespace

std::optional<io::ReportSection> barrier_section(const fs::path& run, bool y_down) {
    const std::vector<fs::path> folders = path_folders(run);
    if (folders.empty()) return std::nullopt;
    io::ReportSection section;
    section.id = "barriers";
    section.title = "Barriers";
    section.lead = "Paths of least energy between two states, by nudged elastic bands with a climbing image.";
    io::ReportTable table;
    table.head = {"path", "barrier / eV", "back / eV", "end above start / eV", "largest force / (eV/Å)",
                  "steps"};
    json numbers = json::object();
    for (const fs::path& folder : folders) {
        Path path = read_path(folder);
        section.blocks.push_back(curve_of(path));
        for (io::ReportBlock& block : pictures_of(path, y_down)) section.blocks.push_back(std::move(block));
        const json& band = path.band;
        table.rows.push_back({path.title, shown(band.value("barrier_ev", json()), 3),
                              shown(band.value("reverse_barrier_ev", json()), 3),
                              shown(band.value("reaction_energy_ev", json()), 3),
                              shown(band.value("max_force_ev_per_angstrom", json()), 3),
                              std::to_string(band.value("steps", 0))});
        numbers[path.name] = band;
        if (!path.images.empty()) section.films.push_back({"Path: " + path.title, std::move(path.images)});
    }
    section.blocks.push_back({"", std::nullopt, "", table, {}, true});
    section.json = numbers.dump();
    return section;
}

}  // namespace stembridge::app

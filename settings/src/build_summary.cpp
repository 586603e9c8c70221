// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "stembridge/base/elements.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/settings/build.hpp"

namespace stembridge::settings {
namespace {

using nlohmann::json;
constexpr double outline_margin_px = 5;

json outline_of(const std::vector<Eigen::Vector2d>& places_px) {
    json outline = json::array();
    for (const auto& corner : io::convex_outline(places_px, outline_margin_px))
        outline.push_back({corner.x(), corner.y()});
    return outline;
}

/// The patches a crop was chosen from: where they are, and what they show.
json patches_of(const io::Config& config, const BuildStart& start, const BuildReport& report) {
    json patches = json::array();
    for (const Patch& patch : report.patches) {
        json entry = {
            {"centre_angstrom", {patch.centre.x() / units::angstrom, patch.centre.y() / units::angstrom}},
            {"n_atoms", patch.atoms.size()}};
        if (start.pixels) {
            std::vector<Eigen::Vector2d> corners;
            for (int step = 0; step < 24; ++step) {  // the circle that holds so many atoms
                const double angle = 2 * M_PI * step / 24;
                const double radius =
                    std::sqrt(static_cast<double>(patch.atoms.size()) * 2.62 / M_PI) * units::angstrom;
                corners.push_back(start.pixels->pixel(
                    patch.centre + radius * Eigen::Vector2d(std::cos(angle), std::sin(angle))));
            }
            entry["outline_px"] = outline_of(corners);
        }
        if (config.text("build.crop.by") == "random") {
            entry["similarity"] = patch.similarity;
            entry["joint_similarity"] = patch.joint_similarity;
        } else {
            entry["mean_uncertainty"] = patch.mean_uncertainty;
        }
        patches.push_back(entry);
    }
    return patches;
}

json cell_of(const BuildReport& report) {
    if (!report.lattice || !report.supercell) return nullptr;
    const PlanarLattice& lattice = *report.lattice;
    const PlanarSupercell& cell = *report.supercell;
    const auto pair = [](const Eigen::Vector2d& v) { return json{v.x(), v.y()}; };
    return {
        {"lattice", lattice.kind},
        {"primitive_angstrom",
         {pair(lattice.vectors.col(0) / units::angstrom), pair(lattice.vectors.col(1) / units::angstrom)}},
        {"atoms_in_primitive_cell", lattice.basis.size()},
        {"share_on_lattice", lattice.share},
        {"residual_angstrom", lattice.residual / units::angstrom},
        {"cell_angstrom",
         {pair(cell.cell.col(0) / units::angstrom), pair(cell.cell.col(1) / units::angstrom)}},
        {"multiples",
         {{cell.multiples(0, 0), cell.multiples(1, 0)}, {cell.multiples(0, 1), cell.multiples(1, 1)}}},
        {"strain", {pair(cell.strain.col(0)), pair(cell.strain.col(1))}}};
}

/// How the region was chosen, with what that took.
json region_of(const io::Config& config, const BuildStart& start, const BuildReport& report) {
    json region = {{"by", config.text("build.crop.by")}, {"cell", config.text("build.cell")}};
    if (start.pixels) {
        region["min_probability"] = config.number("build.min_probability");
        region["max_sigma_angstrom"] = config.has("build.max_sigma")
                                           ? json(config.quantity("build.max_sigma") / units::angstrom)
                                           : json(nullptr);
        region["contamination"] = config.text("build.contamination");
        region["contaminated_share"] =
            start.contaminated_share ? json(*start.contaminated_share) : json(nullptr);
        region["amorphous"] = config.text("build.amorphous");
        const auto count = report.counters.find("amorphous");
        region["amorphous_atoms"] = count == report.counters.end() ? 0 : count->second;
    }
    return region;
}

}  // namespace

std::string build_summary(const io::Config& config, const BuildStart& start, const Derived& built,
                          const BuildReport& report) {
    std::vector<Eigen::Vector2d> kept_px;
    json left_out = json::array();
    if (start.pixels) {
        for (const int origin : built.origin) {
            if (origin < 0) continue;
            const int index = start.atoms.origin[static_cast<std::size_t>(origin)];
            const Detection& atom = start.detections[static_cast<std::size_t>(index)];
            kept_px.emplace_back(atom.x_px, atom.y_px);
        }
        const std::set<int> candidates(start.atoms.origin.begin(), start.atoms.origin.end());
        for (std::size_t k = 0; k < start.detections.size(); ++k)
            if (!candidates.contains(static_cast<int>(k)))
                left_out.push_back({start.detections[k].x_px, start.detections[k].y_px});
    }
    json origin = json::array();  // of each atom: its detection, -1 = added
    for (const int from : built.origin)
        if (start.pixels)
            origin.push_back(from < 0 ? -1 : start.atoms.origin[static_cast<std::size_t>(from)]);
    json removed = json::array();
    for (const RemovedAtom& atom : report.removed)
        removed.push_back(
            {{"index", atom.index},
             {"element", atom.atomic_number > 0 ? element_symbol(atom.atomic_number) : "unknown"},
             {"position_angstrom",
              {atom.position.x() / units::angstrom, atom.position.y() / units::angstrom,
               atom.position.z() / units::angstrom}},
             {"reason", atom.reason}});
    const bool cropped = config.text("build.crop.by") != "none" || config.text("build.cell") == "periodic";
    const json summary = {
        {"formula", built.structure.formula()},
        {"n_atoms", built.structure.size()},
        {"messages", report.messages},
        {"warnings", report.warnings},
        {"removed", removed},
        {"counters", report.counters},
        {"outline_px", cropped ? outline_of(kept_px) : json::array()},
        {"origin", origin},
        {"left_out_px", left_out},
        {"region", region_of(config, start, report)},
        {"patches", patches_of(config, start, report)},
        {"periodic_cell", cell_of(report)},
    };
    return summary.dump();
}

}  // namespace stembridge::settings

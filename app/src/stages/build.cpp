// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "configuration.hpp"
#include "stages/build_options.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/straighten.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;
constexpr double outline_margin_px = 5;

/// The atoms to build from, with where each comes from and how far it is trusted.
struct Start {
    Derived atoms;  ///< origin counts in the detections
    Detections detections;
    std::vector<double> probability, uncertainty;  ///< (n) or empty
    std::optional<PixelMap> pixels;
    std::optional<double> contaminated_share;  ///< of the frame; empty when the mask was not looked at
};

/// What the crop by uncertainty goes by.
double uncertainty_of(const Detection& atom, const std::string& measure) {
    return measure == "sigma"    ? atom.sigma_angstrom
           : measure == "spread" ? atom.spread
                                 : 1 - atom.probability;
}

/// Takes out detections that lie in contamination, by the mask that find-atoms writes beside them.
void leave_out_contamination(Start& start, const fs::path& mask_file, BuildReport& report) {
    if (!fs::exists(mask_file)) return;
    const Pixels trusted = io::read_image(mask_file).pixels;
    if (trusted.size() == 0) return;
    start.contaminated_share = 1 - static_cast<double>(trusted.mean());
    std::vector<int> kept;
    for (int i = 0; i < start.atoms.structure.size(); ++i) {
        const int index = start.atoms.origin[static_cast<std::size_t>(i)];
        const Detection& atom = start.detections[static_cast<std::size_t>(index)];
        const auto row = std::clamp<Eigen::Index>(std::lround(atom.y_px), 0, trusted.rows() - 1);
        const auto column = std::clamp<Eigen::Index>(std::lround(atom.x_px), 0, trusted.cols() - 1);
        if (trusted(row, column) >= 0.5F)
            kept.push_back(i);
        else
            report.remove(index, atom.atomic_number, start.atoms.structure.positions.col(i),
                          "in contamination");
    }
    const int left_out = start.atoms.structure.size() - static_cast<int>(kept.size());
    report.messages.push_back(
        fmt::format("contamination covers {:.1f} % of the frame and counts as vacuum; "
                    "{} atoms found in it are left out",
                    100 * *start.contaminated_share, left_out));
    report.counters["in_contamination"] += left_out;
    if (kept.empty()) throw InputError("every atom of the frame lies in contamination");
    std::vector<int> origin;
    for (const int i : kept) origin.push_back(start.atoms.origin[static_cast<std::size_t>(i)]);
    start.atoms = {start.atoms.structure.selected(kept), std::move(origin)};
}

void leave_out_uncertain(Start& start, double largest_angstrom, BuildReport& report) {
    std::vector<int> kept, origin;
    for (int i = 0; i < start.atoms.structure.size(); ++i) {
        const int index = start.atoms.origin[static_cast<std::size_t>(i)];
        const Detection& atom = start.detections[static_cast<std::size_t>(index)];
        if (atom.sigma_angstrom <= largest_angstrom) {
            kept.push_back(i);
            origin.push_back(index);
        } else {
            report.remove(index, atom.atomic_number, start.atoms.structure.positions.col(i),
                          fmt::format("position uncertain by {:.3f} angstrom", atom.sigma_angstrom));
        }
    }
    if (kept.empty())
        throw InputError(
            fmt::format("no position is certain to build.max_sigma = {:.3g} angstrom", largest_angstrom));
    start.atoms = {start.atoms.structure.selected(kept), std::move(origin)};
}

Start start_from(const io::Config& config, const fs::path& input, BuildReport& report) {
    Start start;
    if (input.extension() != ".csv") {
        start.atoms.structure = io::read_structure(input);
        for (int i = 0; i < start.atoms.structure.size(); ++i) start.atoms.origin.push_back(i);
        if (config.boolean("build.straighten")) {
            const Straightening found = straighten_sheet(start.atoms.structure);
            report.messages.push_back(fmt::format(
                "straightened by the bonds of {} atoms: C-C was {:.3f} angstrom, anisotropy {:.1f} %",
                found.n_atoms, found.mean_bond_before / units::angstrom, 100 * found.anisotropy_before));
        }
        return start;
    }
    start.detections = io::read_detections_csv(input);
    start.atoms = structure_from_detections(
        start.detections, {.min_probability = config.number("build.min_probability")}, report);
    start.pixels.emplace(start.detections);
    if (config.has("build.max_sigma"))
        leave_out_uncertain(start, config.quantity("build.max_sigma") / units::angstrom, report);
    if (config.text("build.contamination") == "exclude")
        leave_out_contamination(start, input.parent_path() / "region.npy", report);
    for (const int origin : start.atoms.origin) {
        const Detection& atom = start.detections[static_cast<std::size_t>(origin)];
        start.probability.push_back(atom.probability);
        start.uncertainty.push_back(uncertainty_of(atom, config.text("build.crop.uncertainty")));
    }
    return start;
}

/// A crystal instead of a sheet: repeated, or cut along a surface. @return nothing when neither is asked for
std::optional<Structure> crystal(const io::Config& config, const Structure& structure, BuildReport& report) {
    std::optional<Structure> result;
    if (config.has("build.repeat")) {
        const auto n = config.integers("build.repeat");
        result = supercell(structure, std::array<int, 3>{static_cast<int>(n[0]), static_cast<int>(n[1]),
                                                         static_cast<int>(n[2])});
        report.messages.push_back(fmt::format("supercell of {} x {} x {} cells", n[0], n[1], n[2]));
    }
    if (config.has("build.surface")) {
        if (config.has("build.repeat"))
            throw InputError(config.where("build.surface") + " and build.repeat exclude each other");
        const auto hkl = config.integers("build.surface");
        const auto vacuum = config.quantities("build.vacuum");
        const int layers = static_cast<int>(config.integer("build.layers"));
        result = surface_slab(structure,
                              {static_cast<int>(hkl[0]), static_cast<int>(hkl[1]), static_cast<int>(hkl[2])},
                              layers, vacuum.back());
        report.messages.push_back(
            fmt::format("surface ({} {} {}) of {} layers", hkl[0], hkl[1], hkl[2], layers));
    }
    return result;
}

/// @param patch cut out instead of the one that the configuration names
Derived built_from(const io::Config& config, const Start& start, BuildReport& report,
                   const Patch* patch = nullptr) {
    if (auto made = start.pixels ? std::nullopt : crystal(config, start.atoms.structure, report)) {
        Derived result{*made, std::vector<int>(static_cast<std::size_t>(made->size()), -1)};
        if (config.has("build.fix"))
            for (const auto& rule : config.texts("build.fix")) fix_atoms(result.structure, rule);
        result.structure.validate();
        return result;
    }
    for (const char* key : {"build.repeat", "build.surface"})
        if (config.has(key))
            throw InputError(config.where(key) + ": needs a crystal as input, not detected atoms");
    BuildOptions options = build_options(config, start.pixels, start.uncertainty);
    if (patch != nullptr) {
        options.crop->by = CropOptions::By::nearest;
        options.crop->centre = patch->centre;
    }
    return build_cluster(start.atoms.structure, start.probability, options, report);
}

json outline_of(const std::vector<Eigen::Vector2d>& places_px) {
    json outline = json::array();
    for (const auto& corner : io::convex_outline(places_px, outline_margin_px))
        outline.push_back({corner.x(), corner.y()});
    return outline;
}

/// The patches a crop was chosen from: where they are, what they show, and each built in the same way.
json patches_of(const io::Config& config, const Start& start, const BuildReport& report,
                const fs::path& out) {
    json patches = json::array();
    for (std::size_t k = 0; k < report.patches.size(); ++k) {
        const Patch& patch = report.patches[k];
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
            BuildReport unheard;
            const std::string name = fmt::format("patch-{}.extxyz", k + 1);
            const Derived built = built_from(config, start, unheard, &patch);
            io::write_structure(out / name, built.structure);
            entry["structure"] = name;
            entry["formula"] = built.structure.formula();
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
json region_of(const io::Config& config, const Start& start, const BuildReport& report) {
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

nlohmann::json build(const io::Config& config, const fs::path& input, const fs::path& out, Session& session) {
    BuildReport report;
    const Start start = start_from(config, input, report);
    const Derived built = built_from(config, start, report);
    io::write_structure(out / "structure.extxyz", built.structure);

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
    for (const auto& message : report.messages) session.info("  " + message);
    for (const auto& warning : report.warnings) session.warning(warning);
    const bool cropped = config.text("build.crop.by") != "none" || config.text("build.cell") == "periodic";
    json summary = {
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
        {"patches", patches_of(config, start, report, out)},
        {"periodic_cell", cell_of(report)},
    };
    io::write_text_atomically(out / "build.json", summary.dump(2) + "\n");
    session.info(fmt::format("built {} ({} atoms)", built.structure.formula(), built.structure.size()));
    return summary;
}

}  // namespace stembridge::app

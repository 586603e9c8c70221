// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "configuration.hpp"
#include "stages/stages.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/detections_file.hpp"
#include "stembridge/io/plot.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/structure/straighten.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

constexpr double outline_margin_px = 5;

/// The linear map from pixels to angstrom that the detections carry. It is the same for all of them, so least
/// squares recovers it exactly.
class PixelMap {
  public:
    explicit PixelMap(const Detections& atoms) {
        const auto n = static_cast<Eigen::Index>(atoms.size());
        Eigen::MatrixX3d pixels(n, 3);
        Eigen::MatrixX2d angstrom(n, 2);
        for (Eigen::Index i = 0; i < n; ++i) {
            const Detection& atom = atoms[static_cast<std::size_t>(i)];
            pixels.row(i) << atom.x_px, atom.y_px, 1;
            angstrom.row(i) << atom.x_angstrom, atom.y_angstrom;
        }
        map_ = pixels.colPivHouseholderQr().solve(angstrom).transpose();
    }
    /// Position in bohr of a pixel.
    Eigen::Vector2d operator()(double x_px, double y_px) const {
        return map_ * Eigen::Vector3d(x_px, y_px, 1) * units::angstrom;
    }

  private:
    Eigen::Matrix<double, 2, 3> map_;
};

CropOptions crop_options(const io::Config& config, const std::optional<PixelMap>& pixels) {
    CropOptions crop;
    const std::string& by = config.text("build.crop.by");
    crop.by = by == "nearest"   ? CropOptions::By::nearest
              : by == "radius"  ? CropOptions::By::radius
              : by == "polygon" ? CropOptions::By::polygon
                                : CropOptions::By::defect;
    crop.n_atoms = static_cast<int>(config.integer("build.crop.atoms"));
    crop.radius = config.quantity("build.crop.radius");
    crop.defect = static_cast<int>(config.integer("build.crop.defect"));
    crop.clean_edge = config.boolean("build.crop.clean_edge");
    const auto require_pixels = [&](const std::string& key) {
        if (!pixels)
            throw InputError(config.where(key) +
                             ": pixels need detected atoms as input; a structure has none");
    };
    if (config.has("build.crop.center_px")) {
        require_pixels("build.crop.center_px");
        const auto center = config.numbers("build.crop.center_px");
        crop.centre = (*pixels)(center[0], center[1]);
    } else if (config.has("build.crop.center_angstrom")) {
        const auto center = config.numbers("build.crop.center_angstrom");
        crop.centre = Eigen::Vector2d(center[0], center[1]) * units::angstrom;
    } else if (by == "nearest" || by == "radius") {
        throw InputError(fmt::format("{} = \"{}\" needs build.crop.center_px or build.crop.center_angstrom",
                                     config.where("build.crop.by"), by));
    }
    if (by == "polygon") {
        if (!config.has("build.crop.polygon_px"))
            throw InputError(config.where("build.crop.by") + " = \"polygon\" needs build.crop.polygon_px");
        require_pixels("build.crop.polygon_px");
        for (const auto& corner : config.rows("build.crop.polygon_px"))
            crop.polygon.push_back((*pixels)(corner[0], corner[1]));
    }
    return crop;
}

BuildOptions build_options(const io::Config& config, const std::optional<PixelMap>& pixels) {
    BuildOptions options;
    const std::string& short_bonds = config.text("build.short_bonds");
    options.repair->on_short = short_bonds == "merge"    ? RepairOptions::Short::merge
                               : short_bonds == "remove" ? RepairOptions::Short::remove
                                                         : RepairOptions::Short::refuse;
    if (config.boolean("build.regularise")) options.regularise = RegulariseOptions{};
    if (config.text("build.crop.by") != "none") options.crop = crop_options(config, pixels);
    options.remove_dangling = config.boolean("build.remove_dangling");
    if (config.text("build.terminate") == "none") {
        options.terminate.reset();
    } else {
        options.terminate->where = config.text("build.terminate_where") == "everywhere"
                                       ? TerminationOptions::Where::everywhere
                                       : TerminationOptions::Where::outer_edge;
        options.terminate->bond_length = config.quantity("build.bond_length");
        options.terminate->charge = static_cast<int>(config.number("calculator.charge"));
    }
    options.vacuum = config.quantity("build.vacuum");
    options.periodic = config.boolean("build.periodic");
    return options;
}

}  // namespace

nlohmann::json build(const io::Config& config, const fs::path& input, const fs::path& out, Session& session) {
    BuildReport report;
    Derived start;
    std::vector<double> probability;
    std::optional<PixelMap> pixels;
    Detections detections;
    if (input.extension() == ".csv") {
        detections = io::read_detections_csv(input);
        start = structure_from_detections(
            detections, {.min_probability = config.number("build.min_probability")}, report);
        for (const int origin : start.origin)
            probability.push_back(detections[static_cast<std::size_t>(origin)].probability);
        pixels.emplace(detections);
    } else {
        start.structure = io::read_structure(input);
        for (int i = 0; i < start.structure.size(); ++i) start.origin.push_back(i);
        if (config.boolean("build.straighten")) {
            const Straightening found = straighten_sheet(start.structure);
            report.messages.push_back(fmt::format(
                "straightened by the bonds of {} atoms: C-C was {:.3f} angstrom, anisotropy {:.1f} %",
                found.n_atoms, found.mean_bond_before / units::angstrom, 100 * found.anisotropy_before));
        }
    }

    const Derived built = build_cluster(start.structure, probability, build_options(config, pixels), report);
    io::write_structure(out / "structure.extxyz", built.structure);

    std::vector<Eigen::Vector2d> kept_px;
    if (pixels)
        for (const int origin : built.origin) {
            if (origin < 0) continue;
            const Detection& atom =
                detections[static_cast<std::size_t>(start.origin[static_cast<std::size_t>(origin)])];
            kept_px.emplace_back(atom.x_px, atom.y_px);
        }
    nlohmann::json origin = nlohmann::json::array();  // of each atom: its detection, -1 = added
    for (const int from : built.origin)
        if (pixels) origin.push_back(from < 0 ? -1 : start.origin[static_cast<std::size_t>(from)]);
    nlohmann::json outline = nlohmann::json::array();
    if (config.text("build.crop.by") != "none")
        for (const auto& corner : io::convex_outline(kept_px, outline_margin_px))
            outline.push_back({corner.x(), corner.y()});
    nlohmann::json removed = nlohmann::json::array();
    for (const RemovedAtom& atom : report.removed)
        removed.push_back({{"index", atom.index},
                           {"element", element_symbol(atom.atomic_number)},
                           {"position_angstrom",
                            {atom.position.x() / units::angstrom, atom.position.y() / units::angstrom,
                             atom.position.z() / units::angstrom}},
                           {"reason", atom.reason}});
    for (const auto& message : report.messages) session.info("  " + message);
    for (const auto& warning : report.warnings) session.warning(warning);
    nlohmann::json summary = {
        {"formula", built.structure.formula()},
        {"n_atoms", built.structure.size()},
        {"messages", report.messages},
        {"warnings", report.warnings},
        {"removed", removed},
        {"counters", report.counters},
        {"outline_px", outline},
        {"origin", origin},
    };
    io::write_text_atomically(out / "build.json", summary.dump(2) + "\n");
    session.info(fmt::format("built {} ({} atoms)", built.structure.formula(), built.structure.size()));
    return summary;
}

}  // namespace stembridge::app

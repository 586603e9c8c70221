// SPDX-License-Identifier: Apache-2.0
#include "stembridge/settings/build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "build_options.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/straighten.hpp"

namespace stembridge::settings {
namespace {

/// What the crop by uncertainty goes by.
double uncertainty_of(const Detection& atom, const std::string& measure) {
    return measure == "sigma"    ? atom.sigma_angstrom
           : measure == "spread" ? atom.spread
                                 : 1 - atom.probability;
}

/// Takes out detections that lie in contamination, by the mask of find-atoms.
void leave_out_contamination(BuildStart& start, const Pixels& trusted, BuildReport& report) {
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
    origin.reserve(kept.size());
    for (const int i : kept) origin.push_back(start.atoms.origin[static_cast<std::size_t>(i)]);
    start.atoms = {start.atoms.structure.selected(kept), std::move(origin)};
}

void leave_out_uncertain(BuildStart& start, double largest_angstrom, BuildReport& report) {
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

/// What is done with a crystal is little: settings that would do nothing are refused. A value that is the
/// default is none, as configurations with everything resolved name them all.
/// @param does_something keys of [build] that count with this one
void refuse_without_effect(const io::Config& config, const std::string& key,
                           const std::set<std::string>& does_something) {
    const std::string resolved = config.resolved_toml();
    for (const io::Key& other : config.schema()) {
        if (!other.path.starts_with("build.") || other.path == key || does_something.count(other.path) != 0)
            continue;
        if (other.path == "build.terminate" && config.text(other.path) == "none") continue;
        if (other.path == "build.remove_dangling" && !config.boolean(other.path)) continue;
        io::Config without = config;
        without.unset(other.path);
        if (config.where(other.path).starts_with("--") || without.resolved_toml() != resolved)
            throw InputError(fmt::format(
                "{} does nothing together with {}, which takes the crystal as it is; first build with "
                "the one, then with the other",
                config.where(other.path), config.where(key)));
    }
}

/// A crystal instead of a sheet: repeated, or cut along a surface. @return nothing when neither is asked for
std::optional<Structure> crystal(const io::Config& config, const Structure& structure, BuildReport& report) {
    std::optional<Structure> result;
    if (config.has("build.repeat") && config.has("build.surface"))
        throw InputError(config.where("build.surface") + " and build.repeat exclude each other");
    const std::set<std::string> always = {"build.structure", "build.straighten", "build.fix"};
    if (config.has("build.repeat")) {
        refuse_without_effect(config, "build.repeat", always);
        const auto n = config.integers("build.repeat");
        result = supercell(structure, std::array<int, 3>{static_cast<int>(n[0]), static_cast<int>(n[1]),
                                                         static_cast<int>(n[2])});
        report.messages.push_back(fmt::format("supercell of {} x {} x {} cells", n[0], n[1], n[2]));
    }
    if (config.has("build.surface")) {
        std::set<std::string> keys = always;
        keys.insert({"build.layers", "build.vacuum"});
        refuse_without_effect(config, "build.surface", keys);
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

}  // namespace

BuildStart build_start(const io::Config& config, const Structure& structure, BuildReport& report) {
    BuildStart start;
    start.atoms.structure = structure;
    for (int i = 0; i < structure.size(); ++i) start.atoms.origin.push_back(i);
    if (config.boolean("build.straighten")) {
        const Straightening found = straighten_sheet(start.atoms.structure);
        report.messages.push_back(fmt::format(
            "straightened by the bonds of {} atoms: C-C was {:.3f} angstrom, anisotropy {:.1f} %",
            found.n_atoms, found.mean_bond_before / units::angstrom, 100 * found.anisotropy_before));
    }
    return start;
}

BuildStart build_start(const io::Config& config, const Detections& detections, const Pixels& trusted,
                       BuildReport& report) {
    BuildStart start;
    start.detections = detections;
    start.atoms = structure_from_detections(
        start.detections, {.min_probability = config.number("build.min_probability")}, report);
    start.pixels.emplace(start.detections);
    if (config.has("build.max_sigma"))
        leave_out_uncertain(start, config.quantity("build.max_sigma") / units::angstrom, report);
    if (config.text("build.contamination") == "exclude") leave_out_contamination(start, trusted, report);
    for (const int origin : start.atoms.origin) {
        const Detection& atom = start.detections[static_cast<std::size_t>(origin)];
        start.probability.push_back(atom.probability);
        start.uncertainty.push_back(uncertainty_of(atom, config.text("build.crop.uncertainty")));
    }
    return start;
}

Derived build(const io::Config& config, const BuildStart& start, BuildReport& report, const Patch* patch) {
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

}  // namespace stembridge::settings

// SPDX-License-Identifier: Apache-2.0
// Box, fixed atoms, and the whole build stage.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {

Structure center_in_box(const Structure& structure, double vacuum, bool periodic) {
    return center_in_box(structure, Eigen::Vector3d::Constant(vacuum), periodic);
}

Structure center_in_box(const Structure& structure, const Eigen::Vector3d& vacuum, bool periodic) {
    if (structure.size() == 0) throw InputError("an empty structure cannot be put into a box");
    if (!(vacuum.minCoeff() > 0) || !vacuum.allFinite())
        throw InputError(fmt::format("the vacuum must be a positive length, not {} angstrom",
                                     vacuum.minCoeff() / units::angstrom));
    Structure result = structure;
    // Directions of the box: the periodic vectors as they are, the others perpendicular to all before them.
    Eigen::Matrix3d directions = Eigen::Matrix3d::Zero();
    std::vector<Eigen::Vector3d> taken;
    for (int k = 0; k < 3; ++k) {
        if (!structure.cell.periodic[static_cast<std::size_t>(k)]) continue;
        directions.col(k) = structure.cell.vector(k);
        Eigen::Vector3d part = structure.cell.vector(k);
        for (const Eigen::Vector3d& t : taken) part -= part.dot(t) * t;
        taken.push_back(part.normalized());
    }
    for (int k = 0; k < 3; ++k) {
        if (structure.cell.periodic[static_cast<std::size_t>(k)]) continue;
        // The Cartesian axis that is most nearly perpendicular to what is there, axis k if there is a choice.
        Eigen::Vector3d best = Eigen::Vector3d::Zero();
        for (const int axis : {k, (k + 1) % 3, (k + 2) % 3}) {
            Eigen::Vector3d part = Eigen::Vector3d::Unit(axis);
            for (const Eigen::Vector3d& t : taken) part -= part.dot(t) * t;
            if (part.norm() > best.norm() + 1e-6) best = part;
        }
        best.normalize();
        taken.push_back(best);
        const Eigen::RowVectorXd along = best.transpose() * structure.positions;
        const double low = along.minCoeff(), length = along.maxCoeff() - low + vacuum(k);
        directions.col(k) = length * best;
        result.positions.colwise() += (vacuum(k) / 2 - low) * best;
        result.cell.periodic[static_cast<std::size_t>(k)] = periodic;
    }
    result.cell.vectors = directions;
    return result;
}

namespace {

/// Why a text names no atoms.
struct NoSelection {
    std::string why;
};

/// Axes of "x", "yz", ...; nothing when the text is not made of x, y, z.
std::optional<std::array<bool, 3>> parse_axes(const std::string& text) {
    std::array<bool, 3> axes = {false, false, false};
    if (text.empty()) return std::nullopt;
    for (const char c : text) {
        if (c < 'x' || c > 'z') return std::nullopt;
        axes[static_cast<std::size_t>(c - 'x')] = true;
    }
    return axes;
}

/// Atoms, from 0, of a list such as "1,2,5-9".
std::vector<int> parse_indices(const std::string& list, int n_atoms) {
    const auto number = [&](const std::string& text) {
        int value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size() || text.empty())
            throw NoSelection{"'" + text + "' is not an index"};
        if (value < 1 || value > n_atoms)
            throw NoSelection{fmt::format("index {} is not between 1 and {}", value, n_atoms)};
        return value;
    };
    std::vector<int> result;
    for (std::size_t start = 0; start <= list.size();) {
        const std::size_t comma = std::min(list.find(',', start), list.size());
        const std::string item = list.substr(start, comma - start);
        const std::size_t dash = item.find('-');
        const int first = number(item.substr(0, dash));
        const int last = dash == std::string::npos ? first : number(item.substr(dash + 1));
        if (last < first) throw NoSelection{"the range " + item + " runs backwards"};
        for (int k = first; k <= last; ++k) result.push_back(k - 1);
        start = comma + 1;
    }
    return result;
}

/// @throw NoSelection
std::vector<int> selected(const Structure& structure, const std::string& selection,
                          const BondCriteria& bonds) {
    if (selection == "all") return all_indices(structure.size());
    if (selection == "perimeter") {
        const auto edges = find_edges(structure, BondGraph(structure, bonds));
        if (!edges) throw NoSelection{"the structure is not a sheet and has no perimeter"};
        if (edges->outer.empty()) throw NoSelection{"the sheet has no outer edge"};
        return edges->outer;
    }
    if (selection.starts_with("species:")) {
        int z = 0;
        try {
            z = atomic_number(selection.substr(8));
        } catch (const InputError& error) {
            throw NoSelection{error.what()};
        }
        std::vector<int> result;
        for (int i = 0; i < structure.size(); ++i)
            if (element_of(structure, i) == z) result.push_back(i);
        return result;
    }
    if (selection.starts_with("indices:")) return parse_indices(selection.substr(8), structure.size());
    throw NoSelection{"unknown rule"};
}

}  // namespace

std::vector<int> select_atoms(const Structure& structure, const std::string& selection,
                              const BondCriteria& bonds) {
    try {
        return selected(structure, selection, bonds);
    } catch (const NoSelection& no) {
        throw InputError(fmt::format(
            "atoms '{}': {}; accepted are perimeter, all, species:H, indices:1,2,5-9", selection, no.why));
    }
}

void fix_atoms(Structure& structure, const std::string& rule, const BondCriteria& bonds) {
    if (rule == "none") {
        structure.fixed.resize(3, 0);
        return;
    }
    std::string selection = rule;
    std::array<bool, 3> axes = {true, true, true};
    if (const auto alone = parse_axes(rule)) {
        selection = "all";
        axes = *alone;
    } else if (const std::size_t colon = rule.rfind(':'); colon != std::string::npos) {
        if (const auto suffix = parse_axes(rule.substr(colon + 1))) {
            selection = rule.substr(0, colon);
            axes = *suffix;
        }
    }
    const std::vector<int> atoms = [&] {
        try {
            std::vector<int> chosen = selected(structure, selection, bonds);
            if (chosen.empty()) throw NoSelection{"the structure has no such atom"};
            return chosen;
        } catch (const NoSelection& no) {
            throw InputError(fmt::format(
                "rule for fixed atoms '{}': {}; accepted are perimeter, all, none, xy, species:H, "
                "indices:1,2,5-9, each with a suffix such as :xy or :z",
                rule, no.why));
        }
    }();
    if (structure.fixed.cols() == 0) structure.fixed = FixedMask::Constant(3, structure.size(), false);
    for (const int atom : atoms)
        for (int axis = 0; axis < 3; ++axis)
            if (axes[static_cast<std::size_t>(axis)]) structure.fixed(axis, atom) = true;
}

namespace {

/// A cluster in a box that repeats should not see its images.
void warn_of_close_images(const Structure& structure, const BuildOptions& options, BuildReport& report) {
    constexpr double closest = 8 * units::angstrom;
    if (!options.periodic || options.vacuum.minCoeff() >= closest) return;
    report.warnings.push_back(fmt::format(
        "{} and its images in the repeating box are only {:.1f} angstrom apart: they see each "
        "other below about {:.0f}",
        structure.formula(), options.vacuum.minCoeff() / units::angstrom, closest / units::angstrom));
}

}  // namespace

Derived build_cluster(const Structure& structure, const std::vector<double>& probability,
                      const BuildOptions& options, BuildReport& report) {
    if (structure.size() == 0) throw InputError("there are no atoms to build from");
    Derived result{structure, all_indices(structure.size())};
    const auto follow = [&](Derived next) {
        for (int& origin : next.origin)
            if (origin >= 0) origin = result.origin[static_cast<std::size_t>(origin)];
        result = std::move(next);
    };
    if (options.repair) {
        RepairOptions repair = *options.repair;
        repair.bonds = options.bonds;
        follow(repair_short_bonds(result.structure, probability, repair, report));
    }
    if (options.regularise) {
        RegulariseOptions regularise = *options.regularise;
        regularise.bonds = options.bonds;
        result.structure = regularise_in_plane(result.structure, regularise, report);
    }
    if (options.amorphous) {
        AmorphousOptions amorphous = *options.amorphous;
        amorphous.bonds = options.bonds;
        follow(remove_amorphous(result.structure, amorphous, report));
        if (result.structure.size() == 0) throw InputError("the whole structure is amorphous");
    }
    if (options.crop) {
        CropOptions region = *options.crop;
        region.bonds = options.bonds;
        if (!region.uncertainty.empty()) {
            region.uncertainty.clear();
            for (const int origin : result.origin)
                region.uncertainty.push_back(options.crop->uncertainty.at(static_cast<std::size_t>(origin)));
        }
        if (options.cell)
            follow(periodic_supercell(result.structure, crop_centre(result.structure, region, report),
                                      *options.cell, report));
        else
            follow(crop(result.structure, region, report));
    } else if (options.cell) {
        const Eigen::Vector2d low = result.structure.positions.topRows<2>().rowwise().minCoeff();
        const Eigen::Vector2d high = result.structure.positions.topRows<2>().rowwise().maxCoeff();
        follow(periodic_supercell(result.structure, (low + high) / 2, *options.cell, report));
    }
    if (options.cell && options.repair) {  // what stands on both sides of the seam
        RepairOptions repair = *options.repair;
        repair.bonds = options.bonds;
        follow(repair_short_bonds(result.structure, {}, repair, report));
    }
    if (options.remove_dangling)
        follow(remove_dangling_counted(result.structure, result.origin, report, options.bonds));
    if (options.repair) {  // of the region that is kept, before hydrogen is added
        RepairOptions repair = *options.repair;
        repair.bonds = options.bonds;
        report_long_bonds(result, repair, report);
    }
    if (options.terminate) {
        TerminationOptions terminate = *options.terminate;
        terminate.bonds = options.bonds;
        follow(terminate_with_hydrogen(result.structure, terminate, report));
    }
    result.structure = center_in_box(result.structure, options.vacuum, options.periodic);
    warn_of_close_images(result.structure, options, report);
    for (const std::string& rule : options.fix) fix_atoms(result.structure, rule, options.bonds);
    result.structure.validate();
    return result;
}

}  // namespace stembridge

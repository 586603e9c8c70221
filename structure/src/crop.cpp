// SPDX-License-Identifier: Apache-2.0
// Cutting a cluster out of a sheet.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "build_report.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {
namespace {

bool is_heavy(const Structure& structure, int atom) {
    return element_of(structure, atom) != 1;
}

/// Bonds of an atom to heavy atoms that are in the crop.
int bonds_inside(const Structure& structure, const BondGraph& graph, int atom,
                 const std::vector<bool>& inside) {
    const auto& around = graph.of(atom);
    return static_cast<int>(std::count_if(around.begin(), around.end(), [&](const Neighbor& n) {
        return inside[static_cast<std::size_t>(n.j)] && is_heavy(structure, n.j);
    }));
}

/// Makes an edge that can be terminated: no atom inside with less than two bonds, no atom outside with two or
/// more bonds into the crop, one piece. Each round of taking in adds one row of atoms; on a honeycomb one is
/// enough, the bound keeps a dense heap of false detections from being swallowed.
void clean_edge(const Structure& structure, const BondGraph& graph, std::vector<bool>& inside) {
    constexpr int most_rounds = 3;
    const auto leave_out_dangling = [&] {
        std::vector<int> open = flagged(inside);
        while (!open.empty()) {
            const int atom = open.back();
            open.pop_back();
            if (!inside[static_cast<std::size_t>(atom)] || !is_heavy(structure, atom) ||
                bonds_inside(structure, graph, atom, inside) >= 2)
                continue;
            inside[static_cast<std::size_t>(atom)] = false;
            for (const Neighbor& n : graph.of(atom)) open.push_back(n.j);
        }
    };
    leave_out_dangling();
    for (int round = 0; round < most_rounds; ++round) {
        std::vector<int> added;
        for (const int atom : flagged(inside))
            for (const Neighbor& n : graph.of(atom))
                if (!inside[static_cast<std::size_t>(n.j)] && is_heavy(structure, n.j) &&
                    bonds_inside(structure, graph, n.j, inside) >= 2)
                    added.push_back(n.j);
        for (const int atom : added) inside[static_cast<std::size_t>(atom)] = true;
        if (added.empty()) break;
    }
    const auto parts = fragments(graph.restricted_to(inside));
    std::vector<bool> largest(inside.size(), false);
    if (!parts.empty())
        for (const int atom : parts.front())
            largest[static_cast<std::size_t>(atom)] = inside[static_cast<std::size_t>(atom)];
    inside = largest;
}

/// Hydrogen atoms go with the atom that they are bonded to.
void take_hydrogens_along(const Structure& structure, const BondGraph& graph, std::vector<bool>& inside) {
    for (int i = 0; i < structure.size(); ++i) {
        if (is_heavy(structure, i)) continue;
        inside[static_cast<std::size_t>(i)] = bonds_inside(structure, graph, i, inside) > 0;
    }
}

int count_heavy(const Structure& structure, const std::vector<bool>& inside) {
    int n = 0;
    for (const int i : flagged(inside)) n += is_heavy(structure, i) ? 1 : 0;
    return n;
}

/// Heavy atoms ordered by distance from a point of the plane.
std::vector<int> by_distance(const Structure& structure, const Eigen::Vector2d& centre) {
    std::vector<int> order;
    for (int i = 0; i < structure.size(); ++i)
        if (is_heavy(structure, i)) order.push_back(i);
    const auto distance = [&](int i) {
        return (structure.positions.col(i).head<2>() - centre).squaredNorm();
    };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return distance(a) < distance(b); });
    return order;
}

std::vector<bool> first_of(const std::vector<int>& order, int m, int n_atoms) {
    std::vector<bool> inside(static_cast<std::size_t>(n_atoms), false);
    for (int k = 0; k < m; ++k) inside[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = true;
    return inside;
}

/// n heavy atoms around a point. With a clean edge the number taken first is varied, then the point is
/// shifted by up to 1.5 angstrom, until exactly n remain.
std::vector<bool> nearest(const Structure& structure, const BondGraph& graph, const Eigen::Vector2d& centre,
                          int n, bool clean, BuildReport& report) {
    std::vector<int> order = by_distance(structure, centre);
    if (n <= 0) throw InputError(fmt::format("a crop of {} atoms: the number must be positive", n));
    if (static_cast<int>(order.size()) < n)
        throw InputError(
            fmt::format("a crop of {} atoms was asked for, but there are only {}", n, order.size()));
    if (!clean) return first_of(order, n, structure.size());

    const int spread = std::max(12, n / 5);
    const int most = static_cast<int>(order.size());
    std::vector<bool> best;
    int best_size = 0;
    for (const double shift : {0.0, 0.3, 0.6, 0.9, 1.2, 1.5})
        for (int direction = 0; direction < (shift == 0.0 ? 1 : 8); ++direction) {
            const double angle = direction * M_PI / 4;
            const Eigen::Vector2d point =
                centre + shift * units::angstrom * Eigen::Vector2d(std::cos(angle), std::sin(angle));
            order = by_distance(structure, point);
            for (int k = 0; k <= 2 * spread; ++k) {
                const int m = n + (k % 2 == 0 ? k / 2 : -(k + 1) / 2);
                if (m < 1 || m > most) continue;
                std::vector<bool> inside = first_of(order, m, structure.size());
                clean_edge(structure, graph, inside);
                const int size = count_heavy(structure, inside);
                if (size == n && shift > 0)
                    report.messages.push_back(
                        fmt::format("the middle of the crop was shifted by {:.1f} angstrom so that {} atoms "
                                    "have a clean edge",
                                    shift, n));
                if (size == n) return inside;
                if (best.empty() || std::abs(size - n) < std::abs(best_size - n)) {
                    best = std::move(inside);
                    best_size = size;
                }
            }
        }
    report.warnings.push_back(
        fmt::format("no crop of exactly {} atoms has a clean edge here: {} atoms were taken", n, best_size));
    return best;
}

/// Whether a point lies inside a polygon (even-odd rule).
bool in_polygon(const Eigen::Vector2d& p, const std::vector<Eigen::Vector2d>& polygon) {
    bool inside = false;
    for (std::size_t a = 0, b = polygon.size() - 1; a < polygon.size(); b = a++) {
        const Eigen::Vector2d &u = polygon[a], &v = polygon[b];
        if ((u(1) > p(1)) != (v(1) > p(1)) && p(0) < u(0) + (v(0) - u(0)) * (p(1) - u(1)) / (v(1) - u(1)))
            inside = !inside;
    }
    return inside;
}

/// Where the atoms are, in words.
std::string extent_of(const Structure& structure) {
    const auto range = [&](int axis) {
        return fmt::format("{} {:.1f} to {:.1f}", "xyz"[axis],
                           structure.positions.row(axis).minCoeff() / units::angstrom,
                           structure.positions.row(axis).maxCoeff() / units::angstrom);
    };
    return structure.size() == 0 ? "nothing" : fmt::format("{}, {} angstrom", range(0), range(1));
}

/// Refuses a middle outside of the structure: a slip of the pen would give a part of its rim.
void require_inside(const Structure& structure, const Eigen::Vector2d& centre) {
    constexpr double margin = 5 * units::angstrom;
    for (int axis = 0; axis < 2 && structure.size() > 0; ++axis)
        if (centre[axis] < structure.positions.row(axis).minCoeff() - margin ||
            centre[axis] > structure.positions.row(axis).maxCoeff() + margin)
            throw InputError(fmt::format(
                "the middle of the crop at ({:.1f}, {:.1f}) angstrom lies outside of the structure, "
                "which spans {}",
                centre.x() / units::angstrom, centre.y() / units::angstrom, extent_of(structure)));
}

/// The defect that a crop is around, in words and as a point.
Eigen::Vector2d defect_centre(const Structure& cluster, const BondGraph& graph, const CropOptions& options,
                              BuildReport& report) {
    auto defects = find_defects(cluster, graph, find_rings(graph), find_edges(cluster, graph));
    std::erase_if(defects, [](const Defect& d) { return d.kind == "substitution" || d.kind == "hole"; });
    std::map<std::string, int> kinds;
    for (const Defect& d : defects) ++kinds[d.kind];
    if (!options.defect_kind.empty())
        std::erase_if(defects, [&](const Defect& d) { return d.kind != options.defect_kind; });
    if (options.defect < 0 || options.defect >= static_cast<int>(defects.size())) {
        std::string there;
        for (const auto& [kind, count] : kinds)
            there += fmt::format("{}{} ({})", there.empty() ? "" : ", ", kind, count);
        throw InputError(fmt::format(
            "crop around defect {}{}, counted from 0: the structure has {} (holes and foreign atoms not "
            "counted)",
            options.defect, options.defect_kind.empty() ? "" : " of kind " + options.defect_kind,
            there.empty() ? "none" : there));
    }
    const Defect& defect = defects[static_cast<std::size_t>(options.defect)];
    report.messages.push_back(
        fmt::format("crop around the defect {} of {} atoms at ({:.2f}, {:.2f}) angstrom, number {} of "
                    "{} by size, counted from 0",
                    defect.kind, defect.atoms.size(), defect.centre(0) / units::angstrom,
                    defect.centre(1) / units::angstrom, options.defect, defects.size()));
    return defect.centre.head<2>();
}

/// The patch that a crop is, with the others it was chosen from in the report.
Eigen::Vector2d patch_centre(const Structure& cluster, const CropOptions& options, BuildReport& report) {
    if (options.by != CropOptions::By::random) {
        const bool highest = options.by == CropOptions::By::uncertain;
        report.patches = {patch_by_uncertainty(cluster, options.uncertainty, options.n_atoms, highest)};
        double mean = 0;
        for (const double u : options.uncertainty)
            mean += u / static_cast<double>(options.uncertainty.size());
        report.messages.push_back(fmt::format(
            "crop where the positions are {} certain: mean uncertainty {:.4g}, in the whole frame {:.4g}",
            highest ? "least" : "most", report.patches.front().mean_uncertainty, mean));
        return report.patches.front().centre;
    }
    report.patches = random_patches(cluster, options.n_atoms, options.n_patches, options.seed, options.bonds);
    if (options.patch < 0 || options.patch >= options.n_patches)
        throw InputError(fmt::format("patch {} is not one of the {} that are drawn, counted from 0",
                                     options.patch, options.n_patches));
    for (std::size_t k = 0; k < report.patches.size(); ++k) {
        const Patch& patch = report.patches[k];
        report.messages.push_back(
            fmt::format("random patch {} at ({:.2f}, {:.2f}) angstrom shows {:.1f} % of the frame's local "
                        "environments, the patches up to it {:.1f} %",
                        k, patch.centre(0) / units::angstrom, patch.centre(1) / units::angstrom,
                        100 * patch.similarity, 100 * patch.joint_similarity));
    }
    report.messages.push_back(fmt::format("patch {} is cut out", options.patch));
    return report.patches[static_cast<std::size_t>(options.patch)].centre;
}

Eigen::Vector2d centre_of_crop(const Structure& cluster, const BondGraph& graph, const CropOptions& options,
                               BuildReport& report) {
    switch (options.by) {
        case CropOptions::By::nearest:
        case CropOptions::By::radius:
            return options.centre;
        case CropOptions::By::polygon: {
            Eigen::Vector2d sum = Eigen::Vector2d::Zero();
            for (const Eigen::Vector2d& corner : options.polygon)
                sum += corner / static_cast<double>(options.polygon.size());
            return sum;
        }
        case CropOptions::By::defect:
            return defect_centre(cluster, graph, options, report);
        case CropOptions::By::uncertain:
        case CropOptions::By::certain:
        case CropOptions::By::random:
            return patch_centre(cluster, options, report);
    }
    throw std::logic_error("way of cropping out of range");
}

}  // namespace

Eigen::Vector2d crop_centre(const Structure& structure, const CropOptions& options, BuildReport& report) {
    Structure cluster = structure;
    cluster.cell = Cell{};
    return centre_of_crop(cluster, BondGraph(cluster, options.bonds), options, report);
}

Derived crop(const Structure& structure, const CropOptions& options, BuildReport& report) {
    Structure cluster = structure;
    cluster.cell = Cell{};
    const BondGraph graph(cluster, options.bonds);
    std::vector<bool> inside(structure.atomic_numbers.size(), false);
    const auto select = [&](auto&& contains) {
        for (int i = 0; i < cluster.size(); ++i)
            inside[static_cast<std::size_t>(i)] =
                is_heavy(cluster, i) && contains(Eigen::Vector2d(cluster.positions.col(i).head<2>()));
        if (options.clean_edge) clean_edge(cluster, graph, inside);
    };
    if (!options.centre.allFinite()) throw InputError("the middle of the crop is not a finite number");
    switch (options.by) {
        case CropOptions::By::radius:
            if (!(options.radius > 0)) throw InputError("the radius of a crop must be positive");
            select([&](const Eigen::Vector2d& p) { return (p - options.centre).norm() <= options.radius; });
            break;
        case CropOptions::By::polygon:
            if (options.polygon.size() < 3)
                throw InputError(fmt::format("the polygon of a crop needs at least 3 corners, not {}",
                                             options.polygon.size()));
            select([&](const Eigen::Vector2d& p) { return in_polygon(p, options.polygon); });
            break;
        default:
            if (options.by == CropOptions::By::nearest) require_inside(cluster, options.centre);
            inside = nearest(cluster, graph, centre_of_crop(cluster, graph, options, report), options.n_atoms,
                             options.clean_edge, report);
    }
    take_hydrogens_along(cluster, graph, inside);
    Derived result;
    result.origin = flagged(inside);
    if (result.origin.empty())
        throw InputError("the crop holds no atoms: the structure spans " + extent_of(cluster));
    result.structure = cluster.selected(result.origin);
    report.messages.push_back(fmt::format("cropped {} of {} atoms: {}", result.structure.size(),
                                          cluster.size(), result.structure.formula()));
    report.counters["cropped_away"] += cluster.size() - result.structure.size();
    return result;
}

Derived remove_dangling(const Structure& structure, BuildReport& report, const BondCriteria& bonds) {
    return remove_dangling_counted(structure, all_indices(structure.size()), report, bonds);
}

Derived remove_dangling_counted(const Structure& structure, const std::vector<int>& origin,
                                BuildReport& report, const BondCriteria& bonds) {
    const BondGraph graph(structure, bonds);
    std::vector<bool> kept(structure.atomic_numbers.size(), true);
    const auto bonds_left = [&](int atom) {
        const auto& around = graph.of(atom);
        return std::count_if(around.begin(), around.end(),
                             [&](const Neighbor& n) { return kept[static_cast<std::size_t>(n.j)]; });
    };
    const auto drop = [&](int atom, const std::string& reason) {
        kept[static_cast<std::size_t>(atom)] = false;
        report.remove(origin[static_cast<std::size_t>(atom)], element_of(structure, atom),
                      structure.positions.col(atom), reason);
    };
    // The queue holds atoms that may have lost a bond.
    std::vector<int> open = all_indices(structure.size());
    std::reverse(open.begin(), open.end());
    while (!open.empty()) {
        const int atom = open.back();
        open.pop_back();
        if (!kept[static_cast<std::size_t>(atom)]) continue;
        const auto n_bonds = bonds_left(atom);
        if (n_bonds >= (is_heavy(structure, atom) ? 2 : 1)) continue;
        drop(atom, n_bonds == 0 ? "no bond" : "a single bond");
        for (const Neighbor& n : graph.of(atom)) open.push_back(n.j);
    }
    bool largest_seen = false;
    for (const std::vector<int>& part : fragments(graph.restricted_to(kept))) {
        if (!kept[static_cast<std::size_t>(part.front())]) continue;  // already removed
        if (largest_seen)
            for (const int atom : part)
                drop(atom, fmt::format("in a separate fragment of {} atoms", part.size()));
        largest_seen = true;
    }
    Derived result;
    result.origin = flagged(kept);
    if (result.origin.empty())
        throw InputError("no atom has two bonds: nothing is left after removing dangling atoms");
    result.structure = structure.selected(result.origin);
    return result;
}

Derived remove_amorphous(const Structure& structure, const AmorphousOptions& options, BuildReport& report) {
    const std::vector<int> amorphous = amorphous_atoms(structure, options);
    std::vector<bool> kept(structure.atomic_numbers.size(), true);
    for (const int atom : amorphous) kept[static_cast<std::size_t>(atom)] = false;
    if (!amorphous.empty())
        report.messages.push_back(
            fmt::format("{} atoms of amorphous parts are left out: vacuum", amorphous.size()));
    report.counters["amorphous"] += static_cast<int>(amorphous.size());
    Derived result;
    result.origin = flagged(kept);
    result.structure = structure.selected(result.origin);
    return result;
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Atoms and CHn groups on a sheet.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {
namespace {

/// The heavy atom nearest to the mean of all, seen along the normal.
int middle_atom(const Structure& structure, const Eigen::Vector3d& normal) {
    const Eigen::Vector3d middle = structure.positions.rowwise().mean();
    int best = -1;
    double best_distance = 0;
    for (int i = 0; i < structure.size(); ++i) {
        if (element_of(structure, i) == 1) continue;
        const double distance = normal.cross(structure.positions.col(i) - middle).norm();
        if (best < 0 || distance < best_distance - 1e-9) {
            best = i;
            best_distance = distance;
        }
    }
    if (best < 0) throw InputError("the structure has no atom to put an adsorbate on");
    return best;
}

/// The point of the sheet under the adsorbate.
Eigen::Vector3d site_position(const Structure& structure, const BondGraph& graph, const std::string& site,
                              int atom) {
    Eigen::Vector3d at = structure.positions.col(atom);
    if (site == "top") return at;
    if (site == "bridge") {
        for (const Neighbor& n : graph.of(atom))
            if (element_of(structure, n.j) != 1) return at + n.r_ij / 2;
        throw InputError(fmt::format("no bridge site: {} is not bonded", atom_name(structure, atom)));
    }
    if (site == "hollow") {
        // Hexagons first, then whatever ring there is.
        std::vector<Ring> rings = find_rings(graph);
        std::stable_partition(rings.begin(), rings.end(), [](const Ring& r) { return r.size() == 6; });
        for (const Ring& ring : rings) {
            const auto found = std::find(ring.atoms.begin(), ring.atoms.end(), atom);
            if (found == ring.atoms.end()) continue;
            const Eigen::Matrix3Xd corners = ring_positions(ring, structure);
            const Eigen::Vector3d to_middle =
                corners.rowwise().mean() - corners.col(found - ring.atoms.begin());
            return at + to_middle;
        }
        throw InputError(fmt::format("no hollow site: {} is in no ring", atom_name(structure, atom)));
    }
    throw InputError(fmt::format("unknown adsorption site '{}': accepted are hollow, bridge, top", site));
}

/// Directions of the H atoms of a CHn group above its carbon: straight up for CH, half the tetrahedral angle
/// from the normal for CH2, and 70.5 degrees (the fourth sp3 bond points down) for CH3.
std::vector<Eigen::Vector3d> hydrogen_directions(int n, const Eigen::Vector3d& normal) {
    const double tetrahedral = std::acos(-1.0 / 3.0);
    const double from_normal = n == 1 ? 0.0 : n == 2 ? tetrahedral / 2 : M_PI - tetrahedral;
    const Eigen::Vector3d sideways = normal.unitOrthogonal();
    std::vector<Eigen::Vector3d> result;
    result.reserve(static_cast<std::size_t>(n));
    for (int k = 0; k < n; ++k)
        result.push_back(Eigen::AngleAxisd(2 * M_PI * k / n, normal) *
                         (std::cos(from_normal) * normal + std::sin(from_normal) * sideways));
    return result;
}

}  // namespace

Structure add_adsorbate(const Structure& structure, const AdsorbateOptions& options) {
    if (!(options.height > 0)) throw InputError("the height of an adsorbate must be positive");
    int n_hydrogen = 0, element = 6;
    if (options.species == "CH" || options.species == "CH2" || options.species == "CH3") {
        n_hydrogen = options.species.size() == 2 ? 1 : options.species[2] - '0';
    } else {
        try {
            element = atomic_number(options.species);
        } catch (const InputError&) {
            throw InputError(
                fmt::format("unknown adsorbate '{}': accepted are CH, CH2, CH3 and the symbol of an element",
                            options.species));
        }
    }
    const BondGraph all(structure, options.bonds);
    const auto edges = find_edges(structure, all);
    const Eigen::Vector3d normal = edges ? edges->normal : Eigen::Vector3d::UnitZ();
    std::vector<bool> in_sheet(structure.atomic_numbers.size(), true);
    for (const int atom : adsorbed_atoms(structure, all)) in_sheet[static_cast<std::size_t>(atom)] = false;
    const BondGraph graph = all.restricted_to(in_sheet);
    const int atom = options.at ? *options.at : middle_atom(structure, normal);
    check_atom(structure, atom);

    Structure result = structure;
    const Eigen::Vector3d position =
        site_position(structure, graph, options.site, atom) + options.height * normal;
    result.add(element, position);
    for (const Eigen::Vector3d& direction : hydrogen_directions(n_hydrogen, normal))
        result.add(1, position + 1.09 * units::angstrom * direction);
    result.validate();
    return result;
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Atoms and CHn groups on a sheet.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/adsorption.hpp"

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
/// @param first direction that the first H leans to, perpendicular to the normal
std::vector<Eigen::Vector3d> hydrogen_directions(int n, const Eigen::Vector3d& normal,
                                                 const Eigen::Vector3d& first) {
    const double tetrahedral = std::acos(-1.0 / 3.0);
    const double from_normal = n == 1 ? 0.0 : n == 2 ? tetrahedral / 2 : M_PI - tetrahedral;
    std::vector<Eigen::Vector3d> result;
    result.reserve(static_cast<std::size_t>(n));
    for (int k = 0; k < n; ++k)
        result.push_back(Eigen::AngleAxisd(2 * M_PI * k / n, normal) *
                         (std::cos(from_normal) * normal + std::sin(from_normal) * first));
    return result;
}

constexpr double ch_bond = 1.09 * units::angstrom;

/// Appends the atom that binds and its H atoms.
void append(Structure& structure, const AdsorbateSpecies& species, const Eigen::Vector3d& position,
            const Eigen::Vector3d& normal, const Eigen::Vector3d& first) {
    structure.add(species.element, position);
    for (const Eigen::Vector3d& direction : hydrogen_directions(species.n_hydrogen, normal, first))
        structure.add(1, position + ch_bond * direction);
}

Eigen::Vector3d sheet_normal(const Structure& structure, const BondCriteria& bonds) {
    const auto edges = find_edges(structure, BondGraph(structure, bonds));
    if (!edges) return Eigen::Vector3d::UnitZ();
    return edges->normal(2) < 0 ? Eigen::Vector3d(-edges->normal) : edges->normal;
}

/// From the middle of a site towards its first atom (of a top site: towards its first neighbour), in the
/// sheet.
Eigen::Vector3d direction_of_site(const Structure& structure, const AdsorptionSite& site,
                                  const Eigen::Vector3d& normal, const BondCriteria& bonds) {
    Eigen::Vector3d towards = Eigen::Vector3d::Zero();
    if (site.kind == "top") {
        const BondGraph graph(structure, bonds);
        if (graph.coordination(site.atoms.front()) > 0) towards = graph.of(site.atoms.front()).front().r_ij;
    } else {
        towards = nearest_image(structure.cell, structure.positions.col(site.atoms.front()) - site.position);
    }
    towards -= towards.dot(normal) * normal;
    return towards.norm() > 1e-6 ? Eigen::Vector3d(towards.normalized()) : normal.unitOrthogonal();
}

}  // namespace

AdsorbateSpecies adsorbate_species(const std::string& name) {
    if (name == "CH") return {6, 1};
    if (name == "CH2") return {6, 2};
    if (name == "CH3") return {6, 3};
    try {
        return {atomic_number(name), 0};
    } catch (const InputError&) {
        throw InputError(fmt::format(
            "unknown adsorbate '{}': accepted are CH, CH2, CH3 and the symbol of an element", name));
    }
}

Structure adsorbate_alone(const std::string& name, double angle) {
    const Eigen::Vector3d up = Eigen::Vector3d::UnitZ();
    Structure result;
    append(result, adsorbate_species(name), Eigen::Vector3d::Zero(), up,
           Eigen::AngleAxisd(angle, up) * Eigen::Vector3d::UnitX());
    return result;
}

double natural_height(const Structure& structure, const AdsorptionSite& site, const std::string& species) {
    const double radius = covalent_radius(adsorbate_species(species).element);
    double height = 0;
    for (const int atom : site.atoms) {
        const double bond = radius + covalent_radius(element_of(structure, atom));
        const Eigen::Vector3d aside =
            nearest_image(structure.cell, structure.positions.col(atom) - site.position);
        const double square = bond * bond - aside.squaredNorm();
        height = std::max({height, bond / 2, square > 0 ? std::sqrt(square) : 0.0});
    }
    return height;
}

Structure with_adsorbate(const Structure& structure, const AdsorptionSite& site, const std::string& species,
                         double height, double angle, bool below) {
    if (!(height > 0)) throw InputError("the height of an adsorbate must be positive");
    const BondCriteria bonds;
    Eigen::Vector3d normal = sheet_normal(structure, bonds);
    const Eigen::Vector3d first =
        Eigen::AngleAxisd(angle, normal) * direction_of_site(structure, site, normal, bonds);
    if (below) normal = -normal;
    Structure result = structure;
    append(result, adsorbate_species(species), site.position + height * normal, normal, first);
    result.validate();
    return result;
}

OpenedBond with_open_bond(const Structure& structure, int i, int j, double length,
                          const BondCriteria& bonds) {
    check_atom(structure, i);
    check_atom(structure, j);
    const BondGraph graph(structure, bonds);
    const auto& around = graph.of(i);
    const auto bond = std::find_if(around.begin(), around.end(), [&](const Neighbor& n) { return n.j == j; });
    if (i == j || bond == around.end())
        throw InputError(
            fmt::format("{} and {} are not bonded", atom_name(structure, i), atom_name(structure, j)));
    for (const int atom : {i, j})
        if (element_of(structure, atom) == 1) {
            std::vector<int> kept = all_indices(structure.size());
            kept.erase(kept.begin() + atom);
            return {structure.selected(kept), kept};
        }
    if (!(length > bond->distance))
        throw InputError(fmt::format("an open bond of {:.2f} angstrom is not longer than the bond of {:.2f}",
                                     length / units::angstrom, bond->distance / units::angstrom));
    OpenedBond result{structure, all_indices(structure.size())};
    const Eigen::Vector3d move = (length - bond->distance) / 2 * bond->r_ij.normalized();
    result.structure.positions.col(i) -= move;
    result.structure.positions.col(j) += move;
    result.structure.validate();
    return result;
}

Structure add_adsorbate(const Structure& structure, const AdsorbateOptions& options) {
    if (!(options.height > 0)) throw InputError("the height of an adsorbate must be positive");
    const AdsorbateSpecies species = adsorbate_species(options.species);
    const BondGraph all(structure, options.bonds);
    const auto edges = find_edges(structure, all);
    const Eigen::Vector3d normal = edges ? edges->normal : Eigen::Vector3d::UnitZ();
    std::vector<bool> in_sheet(structure.atomic_numbers.size(), true);
    for (const int atom : adsorbed_atoms(structure, all)) in_sheet[static_cast<std::size_t>(atom)] = false;
    const BondGraph graph = all.restricted_to(in_sheet);
    const int atom = options.at ? *options.at : middle_atom(structure, normal);
    check_atom(structure, atom);

    Structure result = structure;
    append(result, species, site_position(structure, graph, options.site, atom) + options.height * normal,
           normal, normal.unitOrthogonal());
    result.validate();
    return result;
}

}  // namespace stembridge

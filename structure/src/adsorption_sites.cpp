// SPDX-License-Identifier: Apache-2.0
// Sites on a sheet, and which of them are equivalent.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <set>

#include "build_report.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/adsorption.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge {
namespace {

const std::vector<std::string> known_kinds = {"hollow", "bridge", "top"};

/// What carries sites: the sheet without H, without its outer edge and what sits on it.
struct Sheet {
    Eigen::Vector3d normal = Eigen::Vector3d::UnitZ();
    std::vector<bool> in_sheet;   ///< bonds count between these
    std::vector<bool> can_carry;  ///< and sites are at these
    BondGraph graph;
    std::vector<Ring> rings;

    Sheet(const Structure& structure, const BondCriteria& bonds, int largest_ring)
        : in_sheet(structure.atomic_numbers.size(), true), can_carry(in_sheet), graph(structure, bonds) {
        for (int i = 0; i < structure.size(); ++i)
            if (element_of(structure, i) == 1) in_sheet[static_cast<std::size_t>(i)] = false;
        for (const int atom : adsorbed_atoms(structure, graph))
            in_sheet[static_cast<std::size_t>(atom)] = false;
        can_carry = in_sheet;
        if (const auto edges = find_edges(structure, graph)) {
            normal = edges->normal;
            for (const int atom : edges->outer) can_carry[static_cast<std::size_t>(atom)] = false;
        }
        if (normal(2) < 0) normal = -normal;
        graph = graph.restricted_to(in_sheet);
        rings = find_rings(graph, 3, largest_ring);
    }
    bool carries(int atom) const { return can_carry[static_cast<std::size_t>(atom)]; }
};

bool has_bond(const Ring& ring, int i, int j) {
    for (int k = 0; k < ring.size(); ++k) {
        const int a = ring.atoms[static_cast<std::size_t>(k)];
        const int b = ring.atoms[static_cast<std::size_t>((k + 1) % ring.size())];
        if ((a == i && b == j) || (a == j && b == i)) return true;
    }
    return false;
}

template <class Belongs>
std::vector<int> ring_sizes(const std::vector<Ring>& rings, Belongs&& belongs) {
    std::vector<int> sizes;
    for (const Ring& ring : rings)
        if (belongs(ring)) sizes.push_back(ring.size());
    std::sort(sizes.begin(), sizes.end());
    return sizes;
}

std::vector<AdsorptionSite> all_sites(const Structure& structure, const Sheet& sheet,
                                      const std::vector<std::string>& kinds) {
    const auto wanted = [&](const char* kind) {
        return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    };
    std::vector<AdsorptionSite> sites;
    const auto add = [&](const char* kind, std::vector<int> atoms, const Eigen::Vector3d& position,
                         std::vector<int> rings) {
        AdsorptionSite site;
        site.kind = kind;
        site.atoms = std::move(atoms);
        site.position = position;
        site.rings = std::move(rings);
        sites.push_back(std::move(site));
    };
    if (wanted("hollow"))
        for (const Ring& ring : sheet.rings)  // a ring at the edge is no less a hollow site
            if (std::any_of(ring.atoms.begin(), ring.atoms.end(), [&](int a) { return sheet.carries(a); }))
                add("hollow", ring.atoms, ring_positions(ring, structure).rowwise().mean(), {ring.size()});
    if (wanted("bridge"))
        for (const Bond& bond : sheet.graph.bonds())
            if (sheet.carries(bond.i) && sheet.carries(bond.j))
                add("bridge", {bond.i, bond.j}, structure.positions.col(bond.i) + bond.r_ij / 2,
                    ring_sizes(sheet.rings, [&](const Ring& r) { return has_bond(r, bond.i, bond.j); }));
    if (wanted("top"))
        for (int i = 0; i < structure.size(); ++i)
            if (sheet.carries(i))
                add("top", {i}, structure.positions.col(i), ring_sizes(sheet.rings, [&](const Ring& r) {
                        return std::find(r.atoms.begin(), r.atoms.end(), i) != r.atoms.end();
                    }));
    return sites;
}

/// An atom seen from a site: the last axis is the normal.
struct Seen {
    int element;
    Eigen::Vector3d place;
};

/// Atoms around each site within a distance, in axes whose third is the normal.
std::vector<std::vector<Seen>> surroundings(const Structure& structure,
                                            const std::vector<AdsorptionSite>& sites,
                                            const Eigen::Vector3d& normal, double reach) {
    // The sites as probes among the atoms, a little above the sheet so that none is on an atom.
    Structure probed = structure;
    constexpr double above = 1e-3;
    for (const AdsorptionSite& site : sites) probed.add(1, site.position + above * normal);
    const NeighborList list(probed, reach);
    const Eigen::Matrix3d axes =
        Eigen::Quaterniond::FromTwoVectors(normal, Eigen::Vector3d::UnitZ()).toRotationMatrix();
    std::vector<std::vector<Seen>> result(sites.size());
    for (std::size_t k = 0; k < sites.size(); ++k)
        for (const Neighbor& n : list.of(structure.size() + static_cast<int>(k)))
            if (n.j < structure.size())
                result[k].push_back({element_of(structure, n.j), axes * (n.r_ij + above * normal)});
    return result;
}

/// Whether every atom of `a` within `reach` has its like in `b`, seen turned by an angle and mirrored.
bool falls_onto(const std::vector<Seen>& a, const std::vector<Seen>& b, const Eigen::Matrix3d& turn,
                double reach, double tolerance) {
    return std::all_of(a.begin(), a.end(), [&](const Seen& atom) {
        if (atom.place.norm() > reach) return true;
        const Eigen::Vector3d place = turn * atom.place;
        return std::any_of(b.begin(), b.end(), [&](const Seen& other) {
            return other.element == atom.element && (other.place - place).norm() < tolerance;
        });
    });
}

bool equivalent(const std::vector<Seen>& a, const std::vector<Seen>& b, const SiteOptions& options) {
    // An atom of `a` far from the axis is brought over each atom of `b` it may belong to.
    const auto radius = [](const Seen& s) { return s.place.head<2>().norm(); };
    const Seen* first = nullptr;
    for (const Seen& s : a)
        if (s.place.norm() <= options.environment && radius(s) > 0.5 * units::angstrom &&
            (first == nullptr || radius(s) > radius(*first)))
            first = &s;
    if (first == nullptr) return b.size() == a.size();
    for (const Seen& partner : b) {
        if (partner.element != first->element ||
            std::abs(radius(partner) - radius(*first)) > options.tolerance)
            continue;
        for (const double mirror : {1.0, -1.0}) {
            const Eigen::Vector2d from(first->place(0), mirror * first->place(1));
            const double angle =
                std::atan2(partner.place(1), partner.place(0)) - std::atan2(from(1), from(0));
            const Eigen::Matrix3d turn =
                Eigen::AngleAxisd(angle, Eigen::Vector3d::UnitZ()).toRotationMatrix() *
                Eigen::Vector3d(1, mirror, 1).asDiagonal();
            if (falls_onto(a, b, turn, options.environment, options.tolerance) &&
                falls_onto(b, a, turn.transpose(), options.environment, options.tolerance))
                return true;
        }
    }
    return false;
}

std::vector<AdsorptionSite> one_of_each(const Structure& structure, const std::vector<AdsorptionSite>& sites,
                                        const Eigen::Vector3d& normal, const SiteOptions& options) {
    const auto around = surroundings(structure, sites, normal, options.environment + options.tolerance);
    std::vector<std::size_t> chosen;
    std::vector<int> multiplicity;
    for (std::size_t k = 0; k < sites.size(); ++k) {
        const auto like = std::find_if(chosen.begin(), chosen.end(), [&](std::size_t c) {
            return sites[c].kind == sites[k].kind && sites[c].rings == sites[k].rings &&
                   equivalent(around[c], around[k], options);
        });
        if (like != chosen.end()) {
            ++multiplicity[static_cast<std::size_t>(like - chosen.begin())];
        } else {
            chosen.push_back(k);
            multiplicity.push_back(1);
        }
    }
    std::vector<AdsorptionSite> result;
    for (std::size_t c = 0; c < chosen.size(); ++c) {
        result.push_back(sites[chosen[c]]);
        result.back().multiplicity = multiplicity[c];
    }
    return result;
}

}  // namespace

std::string AdsorptionSite::name() const {
    return rings.empty() ? kind : fmt::format("{} {}", kind, fmt::join(rings, "-"));
}

std::vector<AdsorptionSite> adsorption_sites(const Structure& structure, const SiteOptions& options) {
    for (const std::string& kind : options.kinds)
        if (std::find(known_kinds.begin(), known_kinds.end(), kind) == known_kinds.end())
            throw InputError(
                fmt::format("unknown adsorption site '{}': accepted are hollow, bridge, top", kind));
    if (!(options.radius > 0) || !(options.environment > 0) || !(options.tolerance > 0))
        throw InputError("radius, environment and tolerance of adsorption sites must be positive");
    if (structure.size() == 0) throw InputError("an empty structure has no adsorption sites");
    const Sheet sheet(structure, options.bonds, options.largest_ring);
    const Eigen::Vector2d centre =
        options.centre ? *options.centre : Eigen::Vector2d(structure.positions.rowwise().mean().head<2>());
    std::vector<AdsorptionSite> sites = all_sites(structure, sheet, options.kinds);
    for (AdsorptionSite& site : sites) {
        const Eigen::Vector3d apart(site.position(0) - centre(0), site.position(1) - centre(1), 0);
        site.distance = nearest_image(structure.cell, apart).head<2>().norm();
    }
    std::erase_if(sites, [&](const AdsorptionSite& s) { return s.distance > options.radius; });
    if (sites.empty())
        throw InputError(fmt::format("no {} site lies within {:.2f} angstrom of ({:.2f}, {:.2f}) angstrom",
                                     fmt::join(options.kinds, ", "), options.radius / units::angstrom,
                                     centre(0) / units::angstrom, centre(1) / units::angstrom));
    std::stable_sort(sites.begin(), sites.end(), [](const AdsorptionSite& a, const AdsorptionSite& b) {
        return a.distance < b.distance - 1e-6;
    });
    return options.inequivalent ? one_of_each(structure, sites, sheet.normal, options) : sites;
}

AdsorptionSite nearest_site(const Structure& sheet, const Eigen::Vector3d& point, const BondCriteria& bonds) {
    SiteOptions options;
    options.bonds = bonds;
    options.centre = point.head<2>();
    options.radius = 1e6;
    options.inequivalent = false;
    return adsorption_sites(sheet, options).front();
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Which parts of a sheet are worth a simulation, and which are none.
#include "stembridge/structure/regions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge {
namespace {

std::vector<int> heavy_atoms(const Structure& structure) {
    std::vector<int> result;
    for (int i = 0; i < structure.size(); ++i)
        if (element_of(structure, i) != 1) result.push_back(i);
    return result;
}

/// The n heavy atoms nearest to a point of the plane, ascending, and how far the last one is.
struct Disc {
    std::vector<int> atoms;
    double radius = 0;
};

Disc nearest_atoms(const Structure& structure, const std::vector<int>& heavy, const Eigen::Vector2d& centre,
                   int n) {
    std::vector<std::pair<double, int>> order;
    order.reserve(heavy.size());
    for (const int i : heavy) order.emplace_back((structure.positions.col(i).head<2>() - centre).norm(), i);
    std::nth_element(order.begin(), order.begin() + (n - 1), order.end());
    Disc disc;
    disc.radius = order[static_cast<std::size_t>(n - 1)].first;
    for (int k = 0; k < n; ++k) disc.atoms.push_back(order[static_cast<std::size_t>(k)].second);
    std::sort(disc.atoms.begin(), disc.atoms.end());
    return disc;
}

/// Discs of n atoms around every heavy atom where the sheet is whole: where n atoms lie as close together as
/// in the densest parts of the sheet.
struct WholeDiscs {
    std::vector<int> centres;
    std::vector<Disc> discs;
    double radius = 0;  ///< the usual one
};

WholeDiscs whole_discs(const Structure& structure, int n) {
    const std::vector<int> heavy = heavy_atoms(structure);
    if (n < 1) throw InputError(fmt::format("a patch of {} atoms: the number must be positive", n));
    if (static_cast<int>(heavy.size()) < n)
        throw InputError(
            fmt::format("a patch of {} atoms was asked for, but there are only {}", n, heavy.size()));
    constexpr double wider = 1.08;  // at a straight edge the radius is larger by a factor 1.4
    std::vector<Disc> discs;
    std::vector<double> radii;
    discs.reserve(heavy.size());
    for (const int i : heavy) {
        discs.push_back(nearest_atoms(structure, heavy, structure.positions.col(i).head<2>(), n));
        radii.push_back(discs.back().radius);
    }
    const auto tenth = radii.begin() + static_cast<std::ptrdiff_t>(radii.size() / 10);
    std::nth_element(radii.begin(), tenth, radii.end());
    WholeDiscs result;
    result.radius = *tenth;
    for (std::size_t k = 0; k < heavy.size(); ++k)
        if (discs[k].radius <= wider * result.radius) {
            result.centres.push_back(heavy[k]);
            result.discs.push_back(std::move(discs[k]));
        }
    return result;
}

std::string joined_sorted(std::vector<std::string> parts, const char* separator) {
    std::sort(parts.begin(), parts.end());
    return fmt::format("{}", fmt::join(parts, separator));
}

/// Atoms of a patch all of whose neighbours are in the patch.
std::vector<int> interior(const std::vector<int>& atoms, const BondGraph& graph) {
    std::vector<int> result;
    for (const int atom : atoms)
        if (std::all_of(graph.of(atom).begin(), graph.of(atom).end(), [&](const Neighbor& n) {
                return std::binary_search(atoms.begin(), atoms.end(), n.j);
            }))
            result.push_back(atom);
    return result;
}

}  // namespace

std::vector<int> amorphous_atoms(const Structure& structure, const AmorphousOptions& options) {
    if (!(options.radius > 0) || !(options.disturbed_share > 0) || options.smallest < 1)
        throw InputError("radius, share and smallest size of an amorphous part must be positive");
    const std::vector<int> heavy = heavy_atoms(structure);
    const BondGraph graph(structure, options.bonds);
    std::vector<bool> in_hexagon(structure.atomic_numbers.size(), false), disturbed(in_hexagon.size(), false);
    for (const Ring& ring : find_rings(graph))
        for (const int atom : ring.atoms)
            (ring.size() == 6 ? in_hexagon : disturbed)[static_cast<std::size_t>(atom)] = true;
    std::size_t n_ordered = 0;
    for (const int i : heavy) {
        const auto atom = static_cast<std::size_t>(i);
        disturbed[atom] = disturbed[atom] || !in_hexagon[atom] || graph.coordination(i) != 3;
        n_ordered += disturbed[atom] ? 0 : 1;
    }
    if (2 * n_ordered < heavy.size()) return {};

    const NeighborList discs(structure, options.radius);
    std::vector<bool> amorphous(structure.atomic_numbers.size(), false);
    for (const int i : heavy) {
        int n_all = 1, n_disturbed = disturbed[static_cast<std::size_t>(i)] ? 1 : 0;
        for (const Neighbor& n : discs.of(i)) {
            if (element_of(structure, n.j) == 1) continue;
            ++n_all;
            n_disturbed += disturbed[static_cast<std::size_t>(n.j)] ? 1 : 0;
        }
        amorphous[static_cast<std::size_t>(i)] = n_disturbed > options.disturbed_share * n_all;
    }
    std::vector<int> result;
    for (const std::vector<int>& part : fragments(graph.restricted_to(amorphous)))
        if (amorphous[static_cast<std::size_t>(part.front())] &&
            static_cast<int>(part.size()) >= options.smallest)
            result.insert(result.end(), part.begin(), part.end());
    std::sort(result.begin(), result.end());
    return result;
}

std::vector<std::string> environments(const Structure& structure, const BondGraph& graph,
                                      const std::vector<Ring>& rings) {
    const auto n = static_cast<std::size_t>(structure.size());
    std::vector<std::vector<int>> sizes(n);
    for (const Ring& ring : rings)
        for (const int atom : ring.atoms) sizes[static_cast<std::size_t>(atom)].push_back(ring.size());
    std::vector<std::string> first(n), result(n);
    for (int i = 0; i < structure.size(); ++i) {
        const auto atom = static_cast<std::size_t>(i);
        std::sort(sizes[atom].begin(), sizes[atom].end());
        std::vector<std::string> bonded;
        for (const Neighbor& neighbor : graph.of(i))
            bonded.push_back(element_symbol(element_of(structure, neighbor.j)));
        first[atom] = fmt::format("{}:{}:{}", element_symbol(element_of(structure, i)),
                                  joined_sorted(bonded, ""), fmt::join(sizes[atom], "-"));
    }
    for (int i = 0; i < structure.size(); ++i) {
        std::vector<std::string> around;
        for (const Neighbor& neighbor : graph.of(i))
            around.push_back(first[static_cast<std::size_t>(neighbor.j)]);
        result[static_cast<std::size_t>(i)] =
            first[static_cast<std::size_t>(i)] + "|" + joined_sorted(around, ",");
    }
    return result;
}

double similarity(const std::vector<std::string>& environments, const std::vector<int>& reference,
                  const std::vector<int>& present) {
    if (reference.empty()) return 0;
    std::set<std::string> known;
    for (const int atom : present) known.insert(environments[static_cast<std::size_t>(atom)]);
    const auto covered = std::count_if(reference.begin(), reference.end(), [&](int atom) {
        return known.contains(environments[static_cast<std::size_t>(atom)]);
    });
    return static_cast<double>(covered) / static_cast<double>(reference.size());
}

std::vector<Patch> random_patches(const Structure& structure, int n_atoms, int n_patches, std::uint64_t seed,
                                  const BondCriteria& bonds) {
    if (n_patches < 1)
        throw InputError(fmt::format("{} random patches: the number must be positive", n_patches));
    const WholeDiscs whole = whole_discs(structure, n_atoms);
    const BondGraph graph(structure, bonds);
    const std::vector<Ring> rings = find_rings(graph);
    const std::vector<std::string> names = environments(structure, graph, rings);
    std::vector<int> reference = heavy_atoms(structure);
    if (const auto edges = find_edges(structure, graph))
        std::erase_if(reference, [&](int atom) {
            return std::binary_search(edges->outer.begin(), edges->outer.end(), atom);
        });

    Random random(seed);
    std::vector<bool> usable(whole.centres.size(), true);
    std::vector<Patch> patches;
    std::vector<int> present;
    while (static_cast<int>(patches.size()) < n_patches) {
        std::vector<std::size_t> left;
        for (std::size_t k = 0; k < usable.size(); ++k)
            if (usable[k]) left.push_back(k);
        if (left.empty()) {  // no room without overlap: from here on anywhere
            std::fill(usable.begin(), usable.end(), true);
            continue;
        }
        const std::size_t chosen =
            left[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(left.size())))];
        Patch patch;
        patch.centre = structure.positions.col(whole.centres[chosen]).head<2>();
        patch.atoms = whole.discs[chosen].atoms;
        const std::vector<int> inside = interior(patch.atoms, graph);
        present.insert(present.end(), inside.begin(), inside.end());
        patch.similarity = similarity(names, reference, inside);
        patch.joint_similarity = similarity(names, reference, present);
        patches.push_back(std::move(patch));
        for (std::size_t k = 0; k < usable.size(); ++k)
            if ((structure.positions.col(whole.centres[k]).head<2>() - patches.back().centre).norm() <
                2 * whole.radius)
                usable[k] = false;
    }
    return patches;
}

Patch patch_by_uncertainty(const Structure& structure, const std::vector<double>& uncertainty, int n_atoms,
                           bool highest) {
    if (uncertainty.size() != structure.atomic_numbers.size())
        throw InputError(fmt::format("{} uncertainties for {} atoms", uncertainty.size(), structure.size()));
    if (!std::all_of(uncertainty.begin(), uncertainty.end(), [](double u) { return std::isfinite(u); }))
        throw InputError("an uncertainty is not a finite number");
    const WholeDiscs whole = whole_discs(structure, n_atoms);
    Patch best;
    for (std::size_t k = 0; k < whole.centres.size(); ++k) {
        double mean = 0;
        for (const int atom : whole.discs[k].atoms)
            mean += uncertainty[static_cast<std::size_t>(atom)] / n_atoms;
        if (!best.atoms.empty() && (highest ? mean <= best.mean_uncertainty : mean >= best.mean_uncertainty))
            continue;
        best.centre = structure.positions.col(whole.centres[k]).head<2>();
        best.atoms = whole.discs[k].atoms;
        best.mean_uncertainty = mean;
    }
    return best;
}

}  // namespace stembridge

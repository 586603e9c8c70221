// SPDX-License-Identifier: Apache-2.0
// Hydrogen on the edge of a carbon cluster.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <set>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {
namespace {

/// An added hydrogen atom.
struct Hydrogen {
    int carbon;                 ///< what it is bonded to
    Eigen::Vector3d ideal;      ///< unit vector from the carbon, before any tilt
    Eigen::Vector3d direction;  ///< unit vector from the carbon
    int atom = -1;              ///< its index in the result
};

constexpr double degree = M_PI / 180;
constexpr double largest_tilt = 40 * degree;

/// Directions of the missing sp2 bonds of a carbon atom with one or two neighbours.
std::vector<Eigen::Vector3d> missing_bonds(const std::vector<Neighbor>& around,
                                           const Eigen::Vector3d& normal) {
    if (around.size() == 2) {
        // d = -(u1 + u2) / |u1 + u2|
        const Eigen::Vector3d sum = around[0].r_ij.normalized() + around[1].r_ij.normalized();
        if (sum.norm() < 0.3) return {};  // nearly linear: sp, nothing is missing in the plane
        return {-sum.normalized()};
    }
    const Eigen::Vector3d u = around[0].r_ij.normalized();
    const Eigen::Vector3d helper = std::abs(u.dot(normal)) < 0.9 ? normal : u.unitOrthogonal();
    const Eigen::Vector3d axis = (helper - helper.dot(u) * u).normalized();
    return {Eigen::AngleAxisd(120 * degree, axis) * u, Eigen::AngleAxisd(-120 * degree, axis) * u};
}

/// Turns a direction by a small angle towards `push`, up to the largest tilt from its ideal.
void tilt(Hydrogen& hydrogen, const Eigen::Vector3d& push) {
    const Eigen::Vector3d sideways = push - push.dot(hydrogen.direction) * hydrogen.direction;
    if (sideways.norm() < 1e-6) return;
    const Eigen::Vector3d turned =
        (hydrogen.direction + std::tan(1 * degree) * sideways.normalized()).normalized();
    if (turned.dot(hydrogen.ideal) >= std::cos(largest_tilt)) hydrogen.direction = turned;
}

}  // namespace

Derived terminate_with_hydrogen(const Structure& structure, const TerminationOptions& options,
                                BuildReport& report) {
    if (!(options.bond_length > 0)) throw InputError("the C-H bond length must be positive");
    const BondGraph graph(structure, options.bonds);
    const auto edges = find_edges(structure, graph);
    const Eigen::Vector3d normal = edges ? edges->normal : Eigen::Vector3d::UnitZ();
    const bool everywhere = options.where == TerminationOptions::Where::everywhere || !edges;
    std::set<int> candidates;
    if (everywhere)
        for (int i = 0; i < structure.size(); ++i) candidates.insert(i);
    else
        candidates.insert(edges->outer.begin(), edges->outer.end());

    std::vector<Hydrogen> hydrogens;
    int n_left = 0, n_bare = 0, n_foreign = 0;
    for (int i = 0; i < structure.size(); ++i) {
        const int coordination = graph.coordination(i);
        if (element_of(structure, i) == 1 || coordination > 2) continue;
        if (element_of(structure, i) != 6)
            ++n_foreign;
        else if (coordination == 0)
            ++n_bare;
        else if (candidates.count(i) == 0)
            ++n_left;
        else
            for (const Eigen::Vector3d& direction : missing_bonds(graph.of(i), normal))
                hydrogens.push_back({i, direction, direction});
    }

    Derived result{structure, all_indices(structure.size())};
    const auto place = [&](const Hydrogen& h) -> Eigen::Vector3d {
        return structure.positions.col(h.carbon) + options.bond_length * h.direction;
    };
    for (Hydrogen& h : hydrogens) {
        h.atom = result.structure.size();
        result.structure.add(1, place(h));
        result.origin.push_back(-1);
    }

    // Hydrogen atoms that are too close are turned away from each other, in the plane first, then out of it.
    const auto added = [&](int atom) { return atom >= structure.size(); };
    const auto clashes = [&] {
        std::vector<std::pair<int, Neighbor>> pairs;
        const NeighborList list(result.structure, options.closest_hydrogens);
        for (int i = structure.size(); i < result.structure.size(); ++i)
            for (const Neighbor& n : list.of(i))
                if (element_of(result.structure, n.j) == 1 && (!added(n.j) || i < n.j))
                    pairs.push_back({i, n});
        return pairs;
    };
    const auto first = clashes();
    constexpr int most_steps = 60;
    for (int step = 0; step < most_steps; ++step) {
        const auto pairs = clashes();
        if (pairs.empty()) break;
        const bool out_of_plane = step >= most_steps / 2;
        for (const auto& [i, n] : pairs) {
            const Eigen::Vector3d lift = out_of_plane ? normal : Eigen::Vector3d::Zero();
            const Eigen::Vector3d away = -n.r_ij.normalized();
            const auto hydrogen = [&](int atom) -> Hydrogen& {
                return hydrogens[static_cast<std::size_t>(atom - structure.size())];
            };
            tilt(hydrogen(i), away + 2 * lift);
            if (added(n.j)) tilt(hydrogen(n.j), -away - 2 * lift);
        }
        for (const Hydrogen& h : hydrogens) result.structure.positions.col(h.atom) = place(h);
    }
    for (const auto& [i, n] : first) {
        ++report.counters["hydrogen_tilted"];
        report.messages.push_back(
            fmt::format("hydrogen atoms {} and {} were {:.2f} angstrom apart: tilted away from each other",
                        i + 1, n.j + 1, n.distance / units::angstrom));
    }
    for (const auto& [i, n] : clashes())
        report.warnings.push_back(fmt::format("hydrogen atoms {} and {} are only {:.2f} angstrom apart",
                                              i + 1, n.j + 1, n.distance / units::angstrom));
    const NeighborList close(result.structure, 1.5 * units::angstrom);
    for (const Hydrogen& h : hydrogens)
        for (const Neighbor& n : close.of(h.atom))
            if (n.j != h.carbon && element_of(result.structure, n.j) != 1)
                report.warnings.push_back(fmt::format(
                    "hydrogen atom {} is {:.2f} angstrom from {}, its carbon is {}", h.atom + 1,
                    n.distance / units::angstrom, atom_name(result.structure, n.j), h.carbon + 1));

    report.counters["hydrogen_added"] += static_cast<int>(hydrogens.size());
    report.messages.push_back(
        fmt::format("{} hydrogen atoms added: {}", hydrogens.size(), result.structure.formula()));
    if (n_left > 0)
        report.messages.push_back(
            fmt::format("{} carbon atoms with a dangling bond inside the cluster stay as they are", n_left));
    if (n_bare > 0) report.warnings.push_back(fmt::format("{} carbon atoms have no bond at all", n_bare));
    if (n_foreign > 0)
        report.warnings.push_back(fmt::format(
            "{} atoms other than carbon have less than three bonds and got no hydrogen", n_foreign));

    long n_electrons = -options.charge;
    for (const int z : result.structure.atomic_numbers) n_electrons += z;
    if (n_electrons % 2 != 0) {
        ++report.counters["odd_electrons"];
        report.warnings.push_back(
            fmt::format("{} with charge {} has an odd number of electrons (a radical): without spin "
                        "polarisation a half-filled "
                        "level stands for the unpaired one; --spin-polarized describes it, a charge or one "
                        "atom of hydrogen "
                        "more removes it",
                        result.structure.formula(), options.charge));
    }
    return result;
}

}  // namespace stembridge

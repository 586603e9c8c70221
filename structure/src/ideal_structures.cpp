// SPDX-License-Identifier: Apache-2.0
// Graphene, its textbook defects, supercells.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "build_report.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {
namespace {

/// The four atoms of the orthorhombic cell sqrt(3) d x 3 d.
Eigen::Matrix<double, 3, 4> graphene_basis(double d) {
    const double a = std::sqrt(3.0) * d;
    Eigen::Matrix<double, 3, 4> basis;
    basis << 0, a / 2, a / 2, 0,     //
        0, d / 2, 3 * d / 2, 2 * d,  //
        0, 0, 0, 0;
    return basis;
}

/// The bond from i to j. @throw InputError when there is none
Neighbor bond_between(const Structure& structure, const BondGraph& graph, int i, int j) {
    check_atom(structure, i);
    check_atom(structure, j);
    for (const Neighbor& n : graph.of(i))
        if (n.j == j && i != j) return n;
    throw InputError(
        fmt::format("{} and {} are not bonded", atom_name(structure, i), atom_name(structure, j)));
}

/// The same bond seen from its other end. @param i where the bond starts
Neighbor reverse_of(const Neighbor& bond, int i) {
    return {i, {-bond.image[0], -bond.image[1], -bond.image[2]}, -bond.r_ij, bond.distance};
}

/// A bond as a spring with its rest length.
struct Spring {
    int i, j;
    std::array<int, 3> image;
    double rest;  ///< bohr
};

/// Bonds of a graph at rest as they are, without those that touch an atom of `gone`.
std::vector<Spring> springs_of(const BondGraph& graph, const std::vector<int>& gone) {
    std::vector<Spring> result;
    for (const Bond& bond : graph.bonds())
        if (std::find(gone.begin(), gone.end(), bond.i) == gone.end() &&
            std::find(gone.begin(), gone.end(), bond.j) == gone.end())
            result.push_back({bond.i, bond.j, bond.image, bond.length});
    return result;
}

/// Relaxes the atoms within a few bonds of a changed place: springs along the bonds, and a push between atoms
/// that are not bonded but closer than second neighbours should be.
/// @param length usual bond length, bohr
void relax_around(Structure& structure, const BondGraph& before, const std::vector<int>& changed,
                  const std::vector<Spring>& springs, double length) {
    constexpr int reach = 4, iterations = 300;
    constexpr double step = 0.1;  // bond springs have stiffness 1, an atom has few of them
    std::vector<int> distance(structure.atomic_numbers.size(), -1);
    std::vector<int> mobile = changed;
    for (const int atom : changed) distance[static_cast<std::size_t>(atom)] = 0;
    for (std::size_t k = 0; k < mobile.size(); ++k)
        for (const Neighbor& n : before.of(mobile[k])) {
            int& d = distance[static_cast<std::size_t>(n.j)];
            if (d >= 0 || distance[static_cast<std::size_t>(mobile[k])] == reach) continue;
            d = distance[static_cast<std::size_t>(mobile[k])] + 1;
            mobile.push_back(n.j);
        }
    // Second neighbours are sqrt(3) L apart in a hexagon and 1.62 L in a pentagon.
    std::vector<Spring> pushes;
    const NeighborList near(structure, 2 * length);
    for (const int i : mobile)
        for (const Neighbor& n : near.of(i)) {
            const bool bonded = std::any_of(springs.begin(), springs.end(), [&](const Spring& s) {
                const std::array<int, 3> back = {-n.image[0], -n.image[1], -n.image[2]};
                return (s.i == i && s.j == n.j && s.image == n.image) ||
                       (s.i == n.j && s.j == i && s.image == back);
            });
            if (!bonded) pushes.push_back({i, n.j, n.image, 1.6 * length});
        }
    for (int iteration = 0; iteration < iterations; ++iteration) {
        Eigen::Matrix3Xd force = Eigen::Matrix3Xd::Zero(3, structure.size());
        const auto pull = [&](const Spring& s, bool only_push, bool both) {
            Eigen::Vector3d r = structure.positions.col(s.j) - structure.positions.col(s.i);
            for (int k = 0; k < 3; ++k)
                if (s.image[static_cast<std::size_t>(k)] != 0)
                    r += structure.cell.vector(k) * s.image[static_cast<std::size_t>(k)];
            const double excess = r.norm() - s.rest;
            if (r.norm() == 0 || (only_push && excess > 0)) return;
            force.col(s.i) += excess * r.normalized();
            if (both) force.col(s.j) -= excess * r.normalized();
        };
        for (const Spring& s : springs) pull(s, false, true);
        for (const Spring& s : pushes) pull(s, true, false);
        for (const int i : mobile) structure.positions.col(i) += step * force.col(i);
    }
}

double mean_length(const std::vector<Spring>& springs) {
    double sum = 0;
    for (const Spring& s : springs) sum += s.rest;
    return sum / static_cast<double>(springs.size());
}

}  // namespace

Structure supercell(const Structure& structure, const std::array<int, 3>& n) {
    for (int k = 0; k < 3; ++k) {
        const auto axis = static_cast<std::size_t>(k);
        if (n[axis] < 1)
            throw InputError(
                fmt::format("a supercell of {} x {} x {}: each number must be positive", n[0], n[1], n[2]));
        if (n[axis] > 1 && !structure.cell.periodic[axis])
            throw InputError(
                fmt::format("the cell does not repeat along vector {}: no supercell along it", k + 1));
    }
    Structure result;
    result.comment = structure.comment;
    result.cell = structure.cell;
    for (int k = 0; k < 3; ++k) result.cell.vectors.col(k) *= n[static_cast<std::size_t>(k)];
    const int copies = n[0] * n[1] * n[2];
    result.positions.resize(3, static_cast<Eigen::Index>(copies) * structure.size());
    if (structure.velocities.cols() != 0) result.velocities = structure.velocities.replicate(1, copies);
    if (structure.fixed.cols() != 0) result.fixed = structure.fixed.replicate(1, copies);
    if (structure.isotopes.size() != 0) result.isotopes = structure.isotopes.replicate(copies, 1);
    int copy = 0;
    for (int a = 0; a < n[0]; ++a)
        for (int b = 0; b < n[1]; ++b)
            for (int c = 0; c < n[2]; ++c, ++copy) {
                const Eigen::Vector3d shift = structure.cell.vectors * Eigen::Vector3d(a, b, c);
                result.atomic_numbers.insert(result.atomic_numbers.end(), structure.atomic_numbers.begin(),
                                             structure.atomic_numbers.end());
                result.positions.middleCols(static_cast<Eigen::Index>(copy) * structure.size(),
                                            structure.size()) = structure.positions.colwise() + shift;
            }
    return result;
}

Structure graphene_sheet(int nx, int ny, double bond_length, double height) {
    if (!(bond_length > 0) || !(height > 0))
        throw InputError("bond length and height of a graphene sheet must be positive");
    Structure cell;
    cell.cell.periodic = {true, true, true};
    cell.cell.vectors.diagonal() << std::sqrt(3.0) * bond_length, 3 * bond_length, height;
    const auto basis = graphene_basis(bond_length);
    for (int k = 0; k < 4; ++k) cell.add(6, basis.col(k) + Eigen::Vector3d(0, 0, height / 2));
    return supercell(cell, {nx, ny, 1});
}

Structure graphene_flake(double radius, double bond_length) {
    if (!(bond_length > 0)) throw InputError("the bond length of a graphene flake must be positive");
    if (!(radius >= bond_length) || !std::isfinite(radius))
        throw InputError(fmt::format("a graphene flake of radius {:.2f} angstrom holds no hexagon",
                                     radius / units::angstrom));
    const double a = std::sqrt(3.0) * bond_length, b = 3 * bond_length;
    const int nx = static_cast<int>(radius / a) + 2, ny = static_cast<int>(radius / b) + 2;
    const auto basis = graphene_basis(bond_length);
    Structure disc;
    for (int i = -nx; i <= nx; ++i)
        for (int j = -ny; j <= ny; ++j)
            for (int k = 0; k < 4; ++k) {
                // (0, d) is the middle of a hexagon.
                const Eigen::Vector3d p = basis.col(k) + Eigen::Vector3d(i * a, j * b - bond_length, 0);
                if (p.norm() <= radius * (1 + 1e-9)) disc.add(6, p);
            }
    BondCriteria bonds;
    bonds.longest[{6, 6}] = 1.2 * bond_length;
    BuildReport unused;
    return remove_dangling(disc, unused, bonds).structure;
}

Structure without_atoms(const Structure& structure, const std::vector<int>& atoms) {
    std::vector<bool> kept(structure.atomic_numbers.size(), true);
    for (const int atom : atoms) {
        check_atom(structure, atom);
        kept[static_cast<std::size_t>(atom)] = false;
    }
    return structure.selected(flagged(kept));
}

Structure with_rotated_bond(const Structure& structure, int i, int j, const BondCriteria& bonds) {
    const BondGraph graph(structure, bonds);
    const Neighbor bond = bond_between(structure, graph, i, j);
    // The middle stays, r -> R r with R a quarter turn about z.
    const Eigen::Vector3d turned(-bond.r_ij(1), bond.r_ij(0), bond.r_ij(2));
    const Eigen::Vector3d move_i = (bond.r_ij - turned) / 2;
    Structure result = structure;
    result.positions.col(i) += move_i;
    result.positions.col(j) -= move_i;

    // Each end keeps the neighbours that are nearer to its new place.
    const double length = mean_length(springs_of(graph, {}));
    std::vector<Spring> springs = springs_of(graph, {i, j});
    springs.push_back({i, j, bond.image, length});
    for (const auto& [atom, partner, to_partner, to_new_place] :
         {std::tuple{i, j, bond, move_i}, {j, i, reverse_of(bond, i), Eigen::Vector3d(-move_i)}})
        for (const Neighbor& n : graph.of(atom)) {
            if (n.j == partner && n.image == to_partner.image) continue;
            const Eigen::Vector3d partner_place = to_partner.r_ij - to_new_place;
            if ((n.r_ij - to_new_place).norm() <= (n.r_ij - partner_place).norm())
                springs.push_back({atom, n.j, n.image, length});
            else
                springs.push_back({partner,
                                   n.j,
                                   {n.image[0] - to_partner.image[0], n.image[1] - to_partner.image[1],
                                    n.image[2] - to_partner.image[2]},
                                   length});
        }
    relax_around(result, graph, {i, j}, springs, length);
    return result;
}

Structure with_divacancy(const Structure& structure, int i, int j, double new_bond_length,
                         const BondCriteria& bonds) {
    const BondGraph graph(structure, bonds);
    const Neighbor bond = bond_between(structure, graph, i, j);
    std::vector<Spring> springs = springs_of(graph, {i, j});
    const double length = mean_length(springs_of(graph, {}));
    std::vector<int> changed;
    Structure result = structure;
    for (const auto& [atom, partner, image] :
         {std::tuple{i, j, bond.image}, {j, i, reverse_of(bond, i).image}}) {
        std::vector<Neighbor> others;
        for (const Neighbor& n : graph.of(atom))
            if (n.j != partner || n.image != image) others.push_back(n);
        if (others.size() != 2)
            throw InputError(fmt::format("a divacancy needs two other neighbours of {}, it has {}",
                                         atom_name(structure, atom), others.size()));
        const Eigen::Vector3d apart = others[1].r_ij - others[0].r_ij;
        const Eigen::Vector3d move = (apart.norm() - new_bond_length) / 2 * apart.normalized();
        result.positions.col(others[0].j) += move;
        result.positions.col(others[1].j) -= move;
        springs.push_back({others[0].j,
                           others[1].j,
                           {others[1].image[0] - others[0].image[0], others[1].image[1] - others[0].image[1],
                            others[1].image[2] - others[0].image[2]},
                           new_bond_length});
        changed.insert(changed.end(), {others[0].j, others[1].j});
    }
    // Take the two atoms out, then relax what is left.
    const std::vector<int> kept = flagged([&] {
        std::vector<bool> stays(structure.atomic_numbers.size(), true);
        stays[static_cast<std::size_t>(i)] = stays[static_cast<std::size_t>(j)] = false;
        return stays;
    }());
    std::vector<int> new_index(structure.atomic_numbers.size(), -1);
    for (std::size_t k = 0; k < kept.size(); ++k)
        new_index[static_cast<std::size_t>(kept[k])] = static_cast<int>(k);
    for (Spring& s : springs) {
        s.i = new_index[static_cast<std::size_t>(s.i)];
        s.j = new_index[static_cast<std::size_t>(s.j)];
    }
    for (int& atom : changed) atom = new_index[static_cast<std::size_t>(atom)];
    result = result.selected(kept);
    relax_around(result, BondGraph(result, bonds), changed, springs, length);
    return result;
}

Structure with_substitution(const Structure& structure, int atom, int atomic_number) {
    check_atom(structure, atom);
    element_symbol(atomic_number);  // throws for an element that does not exist
    Structure result = structure;
    result.atomic_numbers[static_cast<std::size_t>(atom)] = atomic_number;
    if (result.isotopes.size() != 0) result.isotopes(atom) = atomic_mass(atomic_number);
    return result;
}

}  // namespace stembridge

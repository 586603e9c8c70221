// SPDX-License-Identifier: Apache-2.0
// Graphene, its textbook defects, supercells.
#include <fmt/format.h>

#include <cmath>

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
    const Neighbor bond = bond_between(structure, BondGraph(structure, bonds), i, j);
    // The middle stays, r -> R r with R a quarter turn about z.
    const Eigen::Vector3d turned(-bond.r_ij(1), bond.r_ij(0), bond.r_ij(2));
    Structure result = structure;
    result.positions.col(i) += (bond.r_ij - turned) / 2;
    result.positions.col(j) += (turned - bond.r_ij) / 2;
    return result;
}

Structure with_divacancy(const Structure& structure, int i, int j, double new_bond_length,
                         const BondCriteria& bonds) {
    const BondGraph graph(structure, bonds);
    bond_between(structure, graph, i, j);
    Structure result = structure;
    for (const auto& [atom, partner] : {std::pair{i, j}, std::pair{j, i}}) {
        std::vector<Neighbor> others;
        for (const Neighbor& n : graph.of(atom))
            if (n.j != partner) others.push_back(n);
        if (others.size() != 2)
            throw InputError(fmt::format("a divacancy needs two other neighbours of {}, it has {}",
                                         atom_name(structure, atom), others.size()));
        const Eigen::Vector3d apart = others[1].r_ij - others[0].r_ij;
        const Eigen::Vector3d move = (apart.norm() - new_bond_length) / 2 * apart.normalized();
        result.positions.col(others[0].j) += move;
        result.positions.col(others[1].j) -= move;
    }
    return without_atoms(result, {i, j});
}

Structure with_substitution(const Structure& structure, int atom, int atomic_number) {
    check_atom(structure, atom);
    element_symbol(atomic_number);  // throws for an element that does not exist
    Structure result = structure;
    result.atomic_numbers[static_cast<std::size_t>(atom)] = atomic_number;
    return result;
}

}  // namespace stembridge

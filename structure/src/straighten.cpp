// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/straighten.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {
namespace {

constexpr int fewest_atoms = 30;
constexpr int rounds = 3;

/// Bonds in the plane of the carbon atoms that have three of them.
std::vector<Eigen::Vector2d> bonds_of_threefold_carbon(const Structure& structure) {
    const BondGraph graph(structure);
    std::vector<Eigen::Vector2d> bonds;
    for (int i = 0; i < structure.size(); ++i)
        if (structure.atomic_numbers[static_cast<std::size_t>(i)] == 6 && graph.coordination(i) == 3)
            for (const Neighbor& neighbor : graph.of(i)) bonds.push_back(neighbor.r_ij.head<2>());
    return bonds;
}

double mean_length(const std::vector<Eigen::Vector2d>& bonds) {
    double sum = 0;
    for (const Eigen::Vector2d& bond : bonds) sum += bond.norm();
    return sum / static_cast<double>(bonds.size());
}

}  // namespace

Straightening straighten_sheet(Structure& structure, double bond_length) {
    structure.cell = {};
    Straightening result;
    // Which atoms have three bonds may change once the distortion is out.
    for (int round = 0; round < rounds; ++round) {
        std::vector<Eigen::Vector2d> bonds = bonds_of_threefold_carbon(structure);
        const auto n_atoms = static_cast<int>(bonds.size() / 3);
        if (n_atoms < fewest_atoms)
            throw InputError(fmt::format(
                "only {} carbon atoms have three bonds: too few to tell how the positions are distorted ({} "
                "are needed; lengths must be within a quarter of the true ones)",
                n_atoms, fewest_atoms));
        Eigen::Matrix2d second_moment = Eigen::Matrix2d::Zero();
        for (const Eigen::Vector2d& bond : bonds) second_moment += bond * bond.transpose();
        second_moment /= static_cast<double>(bonds.size());
        const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> axes(second_moment);
        Eigen::Matrix2d map = axes.operatorInverseSqrt();
        if (round == 0) {
            result.mean_bond_before = mean_length(bonds);
            result.anisotropy_before = std::sqrt(axes.eigenvalues()[1] / axes.eigenvalues()[0]) - 1;
        }
        for (Eigen::Vector2d& bond : bonds) bond = map * bond;
        map *= bond_length / mean_length(bonds);
        structure.positions.topRows<2>() = map * structure.positions.topRows<2>();
        result.map = map * result.map;
        result.n_atoms = n_atoms;
    }
    return result;
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/coordinate_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/tracking.hpp"

namespace stembridge {
namespace {

/// Points shifted and, if asked for, turned so that the sum of squares to others is least.
/// @source Kabsch, Acta Cryst. A 32, 922 (1976), in two dimensions
Eigen::Matrix2Xd brought_onto(const Eigen::Matrix2Xd& points, const Eigen::Matrix2Xd& others, bool turned) {
    const Eigen::Vector2d from = points.rowwise().mean(), to = others.rowwise().mean();
    if (!turned) return points.colwise() + (to - from);
    const Eigen::Matrix2d product = (points.colwise() - from) * (others.colwise() - to).transpose();
    const double angle = std::atan2(product(0, 1) - product(1, 0), product(0, 0) + product(1, 1));
    return (Eigen::Rotation2Dd(angle).toRotationMatrix() * (points.colwise() - from)).colwise() + to;
}

/// The periodic images of atoms that lie near those of another structure, after the shift between the two.
Structure near_images(Structure structure, const Structure& other, int atom) {
    structure.positions.colwise() += (other.positions.col(atom) - structure.positions.col(atom)).eval();
    return unwrapped(structure, other);
}

}  // namespace

CoordinateErrors coordinate_errors(const Structure& found, const Structure& relaxed,
                                   const std::vector<int>& compared, double bond_length,
                                   const BondCriteria& bonds) {
    if (found.atomic_numbers != relaxed.atomic_numbers)
        throw InputError(
            fmt::format("coordinates can be compared of the same atoms in the same order: one structure is "
                        "{}, the other {}",
                        found.formula(), relaxed.formula()));
    if (!(bond_length > 0)) throw InputError("the bond length that errors are per cent of must be positive");
    CoordinateErrors result;
    result.atoms = compared;
    if (compared.empty())
        for (int i = 0; i < found.size(); ++i)
            if (found.atomic_numbers[static_cast<std::size_t>(i)] != 1) result.atoms.push_back(i);
    if (result.atoms.empty()) throw InputError("there are no atoms to compare");
    for (const int atom : result.atoms)
        if (atom < 0 || atom >= found.size())
            throw InputError(fmt::format("the structure has no atom {}", atom + 1));
    const Structure near = near_images(found, relaxed, result.atoms.front());
    const auto n = static_cast<Eigen::Index>(result.atoms.size());
    Eigen::Matrix2Xd plane(2, n);
    result.relaxed.resize(3, n);
    for (Eigen::Index k = 0; k < n; ++k) {
        plane.col(k) = near.positions.col(result.atoms[static_cast<std::size_t>(k)]).head<2>();
        result.relaxed.col(k) = relaxed.positions.col(result.atoms[static_cast<std::size_t>(k)]);
    }
    result.found = brought_onto(plane, result.relaxed.topRows<2>(), !near.cell.is_periodic());
    result.distances = (result.found - result.relaxed.topRows<2>()).colwise().norm();
    result.percent = 100 * result.distances / bond_length;
    result.mean_distance = result.distances.mean();
    result.rms_distance = std::sqrt(result.distances.squaredNorm() / static_cast<double>(n));
    result.largest_distance = result.distances.maxCoeff();
    result.mean_percent = result.percent.mean();
    result.share_below_5_percent =
        static_cast<double>((result.percent.array() < 5).count()) / static_cast<double>(n);

    for (const Bond& bond : BondGraph(relaxed, bonds).bonds()) {
        if (!std::count(result.atoms.begin(), result.atoms.end(), bond.i) ||
            !std::count(result.atoms.begin(), result.atoms.end(), bond.j))
            continue;
        const Eigen::Vector3d shift =
            near.cell.vectors * Eigen::Vector3d(bond.image[0], bond.image[1], bond.image[2]);
        const double length = (near.positions.col(bond.j) + shift - near.positions.col(bond.i)).norm();
        result.bond_errors.push_back(100 * std::abs(length / bond.length - 1));
        result.mean_bond_error += result.bond_errors.back();
    }
    if (!result.bond_errors.empty()) result.mean_bond_error /= static_cast<double>(result.bond_errors.size());
    return result;
}

}  // namespace stembridge

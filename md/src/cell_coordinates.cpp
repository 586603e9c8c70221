// SPDX-License-Identifier: Apache-2.0
#include "cell_coordinates.hpp"

#include <cmath>
#include <numbers>

#include "stembridge/base/errors.hpp"

namespace stembridge::md {
namespace {

constexpr double bond_length = 1.4 * units::angstrom;

/// Where a strain coordinate stands in the strain: column, row of the array of coordinates to axes a, b.
struct Component {
    int a, b;
};
constexpr Component components[2][3] = {{{0, 0}, {1, 1}, {0, 1}}, {{2, 2}, {1, 2}, {0, 2}}};

/// Of a diagonal element 1, of a pair of off-diagonal ones sqrt2: |u|^2 = L^2 sum e_ab^2.
double weight(const Component& c) {
    return c.a == c.b ? 1.0 : std::numbers::sqrt2;
}

}  // namespace

CellCoordinates::CellCoordinates(const Structure& start, CellRelaxation which)
    : which_(which),
      reference_(start.cell.vectors),
      length_(std::sqrt(static_cast<double>(start.size())) * bond_length) {
    const Cell& cell = start.cell;
    if (which == CellRelaxation::in_plane) {
        const bool in_plane = cell.periodic[0] && cell.periodic[1] && cell.vectors(2, 0) == 0 &&
                              cell.vectors(2, 1) == 0 && cell.vectors(0, 2) == 0 && cell.vectors(1, 2) == 0;
        if (!in_plane)
            throw InputError(
                "the cell can relax in the plane (xy) only when its first two vectors repeat and lie in the "
                "xy plane and the third stands along z");
    } else if (which == CellRelaxation::full && !cell.is_fully_periodic()) {
        throw InputError(
            "the whole cell can relax only when it repeats in all three directions; for a sheet relax it in "
            "the plane (xy)");
    }
}

int CellCoordinates::columns() const {
    switch (which_) {
        case CellRelaxation::none:
            return 0;
        case CellRelaxation::in_plane:
            return 1;
        case CellRelaxation::full:
            return 2;
    }
    throw std::logic_error("cell relaxation out of range");
}

Eigen::Matrix3d CellCoordinates::strain(const Structure& structure) const {
    if (!any()) return Eigen::Matrix3d::Zero();
    return structure.cell.vectors * reference_.inverse() - Eigen::Matrix3d::Identity();
}

Eigen::Matrix3Xd CellCoordinates::gradient(const Structure& structure, const Evaluation& at) const {
    if (!any()) return -at.forces;
    const Eigen::Matrix3d f = Eigen::Matrix3d::Identity() + strain(structure);
    const Eigen::Matrix3d by_strain = structure.cell.volume() * at.stress.value() * f.inverse();
    Eigen::Matrix3Xd gradient(3, structure.size() + columns());
    gradient.leftCols(structure.size()) = -f * at.forces;
    for (int k = 0; k < columns(); ++k)
        for (int row = 0; row < 3; ++row) {
            const Component& c = components[k][row];
            const double slope = (by_strain(c.a, c.b) + by_strain(c.b, c.a)) / 2;
            gradient(row, structure.size() + k) = weight(c) * slope / length_;
        }
    return gradient;
}

void CellCoordinates::move(Structure& structure, const Eigen::Matrix3Xd& displacement) const {
    if (!any()) {
        structure.positions += displacement;
        return;
    }
    const Eigen::Matrix3d before = Eigen::Matrix3d::Identity() + strain(structure);
    Eigen::Matrix3d after = before;
    for (int k = 0; k < columns(); ++k)
        for (int row = 0; row < 3; ++row) {
            const Component& c = components[k][row];
            const double e = displacement(row, structure.size() + k) / (weight(c) * length_);
            after(c.a, c.b) += e;
            if (c.a != c.b) after(c.b, c.a) += e;
        }
    structure.positions =
        (after * (before.inverse() * structure.positions + displacement.leftCols(structure.size()))).eval();
    structure.cell.vectors = after * reference_;
}

}  // namespace stembridge::md

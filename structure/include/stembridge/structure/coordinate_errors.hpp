// SPDX-License-Identifier: Apache-2.0
// How far found coordinates are from relaxed ones, point by point.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {

/// Found coordinates against relaxed ones of the same atoms, after the shift and the turn about z that bring
/// them closest: neither says anything about the quality of a frame. What repeats is only shifted, and the
/// nearest images are compared. Lengths in bohr.
struct CoordinateErrors {
    std::vector<int> atoms;  ///< those compared
    Eigen::Matrix2Xd found;  ///< x, y, (2, atoms), moved onto the relaxed ones
    Eigen::Matrix3Xd relaxed;
    Eigen::VectorXd distances;  ///< in the plane
    Eigen::VectorXd percent;    ///< distance over `bond_length`
    std::vector<double>
        bond_errors;  ///< |found / relaxed - 1| of every bond of the relaxed structure, per cent
    double mean_distance = 0, rms_distance = 0, largest_distance = 0;
    double mean_percent = 0;
    double share_below_5_percent = 0;  ///< of the atoms, 0..1
    double mean_bond_error = 0;        ///< per cent
};

/// @param found, relaxed the same atoms in the same order  @param compared indices; empty = all but H
/// @param bond_length what errors are per cent of, bohr
/// @throw InputError when the atoms differ or there are none to compare
CoordinateErrors coordinate_errors(const Structure& found, const Structure& relaxed,
                                   const std::vector<int>& compared = {},
                                   double bond_length = 1.42 * units::angstrom,
                                   const BondCriteria& bonds = {});

}  // namespace stembridge

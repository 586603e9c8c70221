// SPDX-License-Identifier: Apache-2.0
// Atoms in a cell: what every stage after the image hands on.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "stembridge/structure/cell.hpp"

namespace stembridge {

/// Which Cartesian coordinates are held fixed, (3, n_atoms), true = fixed.
using FixedMask = Eigen::Array<bool, 3, Eigen::Dynamic>;

/// Atoms in a cell, Hartree atomic units. Column i of every array is atom i.
struct Structure {
    std::vector<int> atomic_numbers;
    Eigen::Matrix3Xd positions;   ///< (3, n), bohr
    Eigen::Matrix3Xd velocities;  ///< (3, n) or empty, bohr per atomic time unit
    FixedMask fixed;              ///< (3, n) or empty = nothing fixed
    Eigen::VectorXd isotopes;     ///< (n), masses in electron masses; empty = standard atomic masses
    Cell cell;
    std::string comment;

    int size() const { return static_cast<int>(atomic_numbers.size()); }
    bool is_fixed(int axis, int atom) const { return fixed.cols() != 0 && fixed(axis, atom); }
    /// Masses in electron masses, (n): those of the isotopes, or standard ones.
    Eigen::VectorXd masses() const;
    /// Number of atoms of an element.
    int count(int atomic_number) const;
    /// Hill-like formula, e.g. "C91H25".
    std::string formula() const;
    /// Appends one atom. @param position bohr
    void add(int atomic_number, const Eigen::Vector3d& position);
    /// The atoms with these indices, in this order, with velocities, fixed flags and isotopes.
    Structure selected(const std::vector<int>& indices) const;
    /// @throw InputError when array sizes disagree, a number is not finite, a mass is not positive, or two
    /// atoms are closer than `closest` bohr
    void validate(double closest = 0.5) const;
};

}  // namespace stembridge

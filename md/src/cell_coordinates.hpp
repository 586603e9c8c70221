// SPDX-License-Identifier: Apache-2.0
// Atoms and cell relaxed together: the strain of the cell as further coordinates.
#pragma once

#include <Eigen/Dense>

#include "stembridge/md/relax.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Positions X in the undeformed cell h0 and a symmetric strain e:
///   x = F X,  h = F h0,  F = 1 + e
///   dE/dX = -F f,  dE/de = V sym(sigma F^-1)
/// The strain coordinates are u = L (e_xx, e_yy, sqrt2 e_xy) in the plane and L (e_zz, sqrt2 e_yz, sqrt2
/// e_zx) after them, with L = sqrt(n) times the length of a bond, so that a strain is as stiff as a bond and
/// its force is of the size of a force on an atom.
/// @source Tadmor, Smith, Bernstein, Kaxiras, Phys. Rev. B 59, 235 (1999), section II
class CellCoordinates {
  public:
    /// @throw InputError when the cell does not repeat in the directions that are to change
    CellCoordinates(const Structure& start, CellRelaxation which);

    /// Whether the cell may change at all.
    bool any() const { return which_ != CellRelaxation::none; }
    /// Columns of three strain coordinates.
    int columns() const;
    /// dE/dX and dE/du, (3, n + columns()), hartree/bohr. @param at with forces, and stress when any()
    Eigen::Matrix3Xd gradient(const Structure& structure, const Evaluation& at) const;
    /// Moves atoms and cell. @param displacement of X and u, (3, n + columns()), bohr
    void move(Structure& structure, const Eigen::Matrix3Xd& displacement) const;
    /// e of a structure.
    Eigen::Matrix3d strain(const Structure& structure) const;

  private:
    CellRelaxation which_;
    Eigen::Matrix3d reference_;  // h0
    double length_;              // L
};

}  // namespace stembridge::md

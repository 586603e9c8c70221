// SPDX-License-Identifier: Apache-2.0
// Pictures as a scanning tunnelling microscope would take them.
#pragma once

#include <Eigen/Dense>

#include "stembridge/tb/real_space.hpp"

namespace stembridge::tb {

/// Where the tip goes and what it sees.
struct TunnellingOptions {
    double bias = 0;  ///< e V, hartree: positive = empty levels above the Fermi level, negative = filled ones
    double height = 0;  ///< of the tip over the highest atom, bohr
    double pixel = 0;   ///< bohr
    double width = 0;   ///< a repeating cell is continued to at least this width, bohr
    double margin = 0;  ///< around the atoms in directions that do not repeat, bohr
    int states = 0;     ///< 0 = full diagonalisation; else levels looked for at first by shift-and-invert
};

/// The picture, seen from above; row 0 is the smallest y.
struct TunnellingImage {
    Eigen::Vector2d origin = Eigen::Vector2d::Zero();  ///< x and y of pixel (0, 0), bohr
    double pixel = 0;                                  ///< bohr
    double tip = 0;                                    ///< z of the tip at constant height, bohr
    Eigen::ArrayXXd current;     ///< (rows, columns) integrated local density of states at the tip, 1/bohr^3
    Eigen::ArrayXXd tip_height;  ///< (rows, columns) z where it equals the set point, bohr
    double set_point = 0;        ///< mean of `current`, 1/bohr^3
    double lowest = 0;           ///< the tip goes no lower than this z, bohr
    int levels = 0;              ///< that take part with more than 1e-6 of an electron
};

/// Local density of states between the Fermi level E_F and E_F + bias (Tersoff and Hamann):
///   I(r) = | sum_n [f(e_n - E_F - bias) - f(e_n - E_F)] |psi_n(r)|^2 |
/// with the electronic temperature in f; spins and k-points added up.
/// @throw InputError when an option is out of its range or no level takes part
/// @source Tersoff and Hamann, Phys. Rev. B 31, 805 (1985), doi:10.1103/PhysRevB.31.805
TunnellingImage tunnelling_image(const ElectronicState& state, const OrbitalTable& table,
                                 const TunnellingOptions& options);

}  // namespace stembridge::tb

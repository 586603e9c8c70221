// SPDX-License-Identifier: Apache-2.0
// Plane waves of lattice sums that are split as Ewald does.
#pragma once

#include <Eigen/Dense>

#include "stembridge/structure/structure.hpp"

namespace stembridge::tb {

/// Vectors G != 0 with |G| <= cutoff, one of each pair G, -G. @param cutoff 1/bohr
Eigen::Matrix3Xd half_sphere(const Cell& cell, double cutoff);

/// The smooth part of a lattice sum as 2 sum_g measure f(|g|) cos(g r), where f is the Fourier transform in
/// three dimensions.
///
/// In a crystal g are the reciprocal vectors. In a sheet the sum over the vectors G of the plane stands
/// before an integral over the component along the normal, which the trapezoidal rule does to the tolerance:
/// its error falls as exp(-G (L - h)) with the length L = 2 pi / dk and the thickness h. G = 0, where the
/// integral diverges or falls slowly, is left to the caller as a function of the height.
struct Waves {
    Eigen::Matrix3Xd g;                                ///< one of each pair g, -g
    Eigen::VectorXd measure;                           ///< 1 / V of a crystal, 1 / (A L) of a sheet
    double size = 0;                                   ///< volume V or area A, bohr^3 or bohr^2
    Eigen::Vector3d normal = Eigen::Vector3d::Zero();  ///< of a sheet; zero for a crystal

    bool is_sheet() const { return !normal.isZero(0); }
    /// Projector on the directions in which the lattice repeats.
    Eigen::Matrix3d span() const { return Eigen::Matrix3d::Identity() - normal * normal.transpose(); }
    /// d/d(strain) of the smooth part of a sheet from that of strains in the plane and the forces: the
    /// lattice vectors lie in the plane, so components along the normal come from the atoms alone, and the
    /// derivative of an energy that does not change under rotation is symmetric.
    Eigen::Matrix3d strain_derivative(const Eigen::Matrix3d& in_plane, const Eigen::Matrix3Xd& positions,
                                      const Eigen::Matrix3Xd& forces) const;
};

/// Vectors with |g| <= 2 alpha x.
/// @param x sqrt(-log(tolerance))
/// @throw InputError unless the structure repeats in two or three independent directions
Waves lattice_waves(const Structure& structure, double alpha, double x);

/// alpha, 1/bohr, for which the sums over pairs and over waves take about as long.
/// @throw InputError as above
double balanced_splitting(const Structure& structure);

/// Distance between the lowest and the highest atom along a direction, bohr.
double thickness(const Eigen::Matrix3Xd& positions, const Eigen::Vector3d& normal);

}  // namespace stembridge::tb

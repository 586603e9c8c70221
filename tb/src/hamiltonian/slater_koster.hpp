// SPDX-License-Identifier: Apache-2.0
// From two-centre integrals along an axis to blocks of orbitals in space.
#pragma once

#include <Eigen/Dense>

namespace stembridge::tb {

/// Orbitals of a shell in this order: s; x, y, z; xy, yz, z2, xz, x2-y2.
using OrbitalBlock = Eigen::Ref<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
using ConstOrbitalBlock = Eigen::Ref<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>;

/// Block between a shell l1 <= l2 <= 2 at the origin and a shell l2 in the direction u.
/// @param u unit vector  @param integrals l1 + 1 integrals (sigma, pi, delta)  @param block (2 l1 + 1, 2 l2 +
/// 1)
/// @source Slater and Koster, Phys. Rev. 94, 1498 (1954), doi:10.1103/PhysRev.94.1498
void slater_koster_block(int l1, int l2, const Eigen::Vector3d& u, const double* integrals,
                         OrbitalBlock block);

/// A block contracted with weights, one number per integral.
struct SlaterKosterContraction {
    Eigen::Vector3d k = Eigen::Vector3d::Zero();         ///< k_sigma, k_pi, k_delta
    Eigen::Matrix3d gradient = Eigen::Matrix3d::Zero();  ///< column m: dk_m/du, u taken as free
};
/// The block contracted with weights A: k_m = sum_ab A_ab dB_ab/d(integral m), as a function of u alone.
/// @param weights A, (2 l1 + 1, 2 l2 + 1)
SlaterKosterContraction slater_koster_contraction(int l1, int l2, const Eigen::Vector3d& u,
                                                  const ConstOrbitalBlock& weights);

}  // namespace stembridge::tb

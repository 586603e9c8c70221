// SPDX-License-Identifier: Apache-2.0
// The lattice sum of 1/R with a uniform neutralising background.
#pragma once

#include <Eigen/Dense>

#include "stembridge/structure/structure.hpp"

namespace stembridge::tb {

/// J_ij = sum over images of 1/|r_j + T - r_i|, without the atom itself, for a fully periodic structure.
/// @source Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304
class Ewald {
  public:
    /// @param tolerance largest error of an element of J, hartree
    explicit Ewald(const Structure& structure, double tolerance = 1e-12);

    /// J, (n, n), 1/bohr.
    Eigen::MatrixXd matrix() const;
    /// Adds -d/dr of 1/2 q J q to the forces. @param q (n), e
    void add_forces(const Eigen::VectorXd& q, Eigen::Matrix3Xd& forces) const;
    /// Adds d/d(strain) of 1/2 q J q.
    void add_stress(const Eigen::VectorXd& q, Eigen::Matrix3d& strain_derivative) const;

    double alpha() const { return alpha_; }
    double real_cutoff() const { return real_cutoff_; }
    const Eigen::Matrix3Xd& reciprocal_vectors() const { return g_; }

  private:
    Structure structure_;
    double volume_, alpha_, real_cutoff_;
    Eigen::Matrix3Xd g_;        ///< one of each pair G, -G
    Eigen::VectorXd g_weight_;  ///< 8 pi / V exp(-G^2 / 4 alpha^2) / G^2
};

}  // namespace stembridge::tb

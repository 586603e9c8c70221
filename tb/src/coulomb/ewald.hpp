// SPDX-License-Identifier: Apache-2.0
// The lattice sum of 1/R of crystals and sheets.
#pragma once

#include <Eigen/Dense>
#include <memory>

#include "stembridge/structure/structure.hpp"

namespace stembridge::tb {

/// J_ij = sum over images of 1/|r_j + T - r_i|, without the atom itself, for a structure that repeats in
/// three directions, with a uniform neutralising background, or in two.
///
/// In a sheet the sum over images is taken relative to that of a plane at height zero, which leaves
/// -2 pi |z| / A at large distance |z|; the energy of neutral charges does not depend on this choice. Nothing
/// repeats along the normal: the third lattice vector has no part in it.
/// @source Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304; for sheets Parry, Surf. Sci. 49,
/// 433 (1975), doi:10.1016/0039-6028(75)90362-3, with the integral along the normal done numerically
class Ewald {
  public:
    /// @param tolerance largest error of an element of J, hartree
    /// @throw InputError unless the structure repeats in two or three independent directions
    explicit Ewald(const Structure& structure, double tolerance = 1e-12);
    ~Ewald();
    Ewald(Ewald&&) noexcept;
    Ewald& operator=(Ewald&&) noexcept;

    /// J, (n, n), 1/bohr.
    Eigen::MatrixXd matrix() const;
    /// Adds -d/dr of 1/2 q J q to the forces. @param q (n), e
    void add_forces(const Eigen::VectorXd& q, Eigen::Matrix3Xd& forces) const;
    /// Adds d/d(strain) of 1/2 q J q.
    void add_stress(const Eigen::VectorXd& q, Eigen::Matrix3d& strain_derivative) const;

  private:
    class Sum;
    std::unique_ptr<Sum> sum_;
};

}  // namespace stembridge::tb

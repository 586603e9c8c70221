// SPDX-License-Identifier: Apache-2.0
// The lattice sum of C6 / R^6.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {

/// E = -1/2 sum C_ij / R^6 over all pairs and images, split as Ewald does.
/// @source Karasawa and Goddard, J. Phys. Chem. 93, 7320 (1989), doi:10.1021/j100358a012
class InverseSixthSum {
  public:
    /// @param types of the atoms  @param c6 by type, hartree bohr^6  @param tolerance hartree per atom
    InverseSixthSum(const Structure& structure, std::vector<int> types, Eigen::MatrixXd c6,
                    double tolerance = 1e-12);
    double energy() const;
    void add_forces(Eigen::Matrix3Xd& forces) const;
    void add_stress(Eigen::Matrix3d& strain_derivative) const;

  private:
    double c6(int i, int j) const {
        return c6_(types_[static_cast<std::size_t>(i)], types_[static_cast<std::size_t>(j)]);
    }
    /// exp(-a^2) (1 + a^2 + a^4 / 2) / r^6 with a = alpha r, and its derivative.
    std::array<double, 2> real_part(double r) const;
    /// Structure factors by type, (types, vectors).
    Eigen::MatrixXcd structure_factors() const;

    Structure structure_;
    std::vector<int> types_;
    Eigen::MatrixXd c6_;
    double volume_, alpha_, real_cutoff_, sum_at_zero_ = 0;
    Eigen::Matrix3Xd g_;
    Eigen::VectorXd weight_, weight_slope_;  ///< f(G^2) / V and its derivative
};

}  // namespace stembridge::tb

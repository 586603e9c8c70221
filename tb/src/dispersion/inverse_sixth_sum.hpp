// SPDX-License-Identifier: Apache-2.0
// The sum of C6 / R^6 over all pairs.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <optional>
#include <vector>

#include "coulomb/reciprocal.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {

/// E = -1/2 sum w_i w_j C_ij / R^6 over all pairs and images: directly in a cluster or along one direction,
/// else split as Ewald does.
/// @source Karasawa and Goddard, J. Phys. Chem. 93, 7320 (1989), doi:10.1021/j100358a012
class InverseSixthSum {
  public:
    /// @param structure that repeats in no, one, two or three directions
    /// @param types of the atoms  @param c6 by type, hartree bohr^6  @param tolerance hartree per atom
    InverseSixthSum(const Structure& structure, std::vector<int> types, Eigen::MatrixXd c6,
                    double tolerance = 1e-12);
    /// M with E = -1/2 w M w, (n, n), hartree.
    Eigen::MatrixXd matrix() const;
    /// Adds -dE/dr. @param w weights of the atoms, (n)
    void add_forces(const Eigen::VectorXd& w, Eigen::Matrix3Xd& forces) const;
    /// Adds dE/d(strain).
    void add_stress(const Eigen::VectorXd& w, Eigen::Matrix3d& strain_derivative) const;

  private:
    double c6(int i, int j) const {
        return c6_(types_[static_cast<std::size_t>(i)], types_[static_cast<std::size_t>(j)]);
    }
    /// exp(-a^2) (1 + a^2 + a^4 / 2) / r^6 with a = alpha r, and its derivative.
    std::array<double, 2> real_part(double r) const;
    /// The part of G = 0 at a height, and its derivative.
    std::array<double, 2> at_zero(double z) const;
    bool is_split() const { return alpha_ > 0; }
    /// Calls visit(j, r_ij) for what is near atom i; without splitting for all others and their images.
    template <class Visit>
    void for_near(const std::optional<NeighborList>& pairs, int i, Visit visit) const;
    std::optional<NeighborList> near_pairs() const;
    /// Structure factors by type, (types, vectors).
    Eigen::MatrixXcd structure_factors(const Eigen::VectorXd& w) const;
    Eigen::Matrix3Xd smooth_forces(const Eigen::VectorXd& w) const;

    Structure structure_;
    std::vector<int> types_;
    Eigen::MatrixXd c6_;
    double alpha_ = 0, real_cutoff_ = 0;              ///< zero without splitting
    Eigen::Vector3d axis_ = Eigen::Vector3d::Zero();  ///< lattice vector of the one direction, bohr
    int n_images_ = 0;                                ///< summed to either side along it
    Waves waves_;
    Eigen::RowVectorXd height_;              ///< of the atoms along the normal
    Eigen::VectorXd weight_, weight_slope_;  ///< measure f(g^2) and its derivative
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Orbitals and densities as functions in space.
#pragma once

#include <Eigen/Dense>
#include <memory>
#include <vector>

#include "stembridge/structure/grid.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/tables/orbitals.hpp"

namespace stembridge::tb {

/// Grid for a structure: periodic directions are divided evenly into steps of at most `spacing`, the others
/// hold the atoms with a margin on both sides (along the Cartesian axes of a cluster, perpendicular to the
/// repeating directions of a sheet or chain).
/// @param spacing, margin bohr, positive  @throw InputError when there would be more than 2e8 points
Grid grid_around(const Structure& structure, double spacing, double margin);

/// Orthogonal transformation of degenerate levels among each other that makes orbitals reproducible: in each
/// group of levels closer than `degenerate` the first orbital has all of the group's amplitude in the basis
/// function where that is largest, with a positive sign, the next one likewise in what is left.
/// @param coefficients (n_orbitals, n), changed in place
void fix_phases(const Eigen::VectorXd& energies, Eigen::MatrixXd& coefficients, double degenerate = 1e-6);

/// Orbitals at one k-point with a weight each.
struct WeightedOrbitals {
    Eigen::Vector3d k = Eigen::Vector3d::Zero();  ///< in fractions of the reciprocal vectors
    Eigen::MatrixXcd coefficients;                ///< (n_orbitals, n)
    Eigen::VectorXd weights;                      ///< (n)
};

/// The basis functions of a calculation in space. Images of a periodic structure are added up. All results
/// are the same for any number of threads. The state must outlive this object.
class RealSpace {
  public:
    /// @param table must hold every shell of the basis  @param tolerance a radial function is cut off where
    /// less than this part of its norm is left outside; 0 = at the end of the table
    /// @throw InputError naming the shells that the table lacks
    RealSpace(const ElectronicState& state, const OrbitalTable& table, double tolerance = 1e-8);
    ~RealSpace();
    RealSpace(RealSpace&&) noexcept;
    RealSpace& operator=(RealSpace&&) noexcept;

    /// Largest distance at which a basis function does not vanish, bohr.
    double reach() const;
    /// Electrons per bohr^3 of one spin channel (of both when there is no spin), (points).
    Eigen::VectorXd density(const Grid& grid, int spin) const;
    /// Density of the neutral, spherical free atoms in the same orbitals, electrons per bohr^3, (points).
    Eigen::VectorXd free_atom_density(const Grid& grid) const;
    /// Orbitals at Gamma, bohr^-3/2, (points, n). @param coefficients (n_orbitals, n)
    Eigen::MatrixXd orbitals(const Grid& grid, const Eigen::MatrixXd& coefficients) const;
    /// sum_k,n w_nk |psi_nk|^2, (points).
    Eigen::VectorXd weighted_density(const Grid& grid, const std::vector<WeightedOrbitals>& orbitals) const;

  private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace stembridge::tb

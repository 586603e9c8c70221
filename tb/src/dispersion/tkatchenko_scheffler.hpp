// SPDX-License-Identifier: Apache-2.0
// Dispersion whose coefficients depend on the electrons of each atom.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <vector>

#include "dispersion/inverse_sixth_sum.hpp"
#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// E = -1/2 sum f(R_ij) C6_ij / R_ij^6 over all pairs and images, with C6_ij = v_i v_j C6_ij(free) and the
/// damping f = 1 / (1 + exp(-d [R / (s_R (R_i + R_j)) - 1])), R_i = v_i^(1/3) R_i(free), d = 20.
///
/// The volume ratio v of an atom is the trace of its on-site block of the density matrix over its valence
/// electrons. Unlike a Mulliken population it leaves out the electrons of the bonds, so that a neutral atom
/// in a molecule is smaller than a free one, as it is in density-functional theory; a free atom has v = 1.
/// The energy is a function of these traces and takes part in self-consistency, so that forces and stress are
/// exact.
/// @source Tkatchenko and Scheffler, Phys. Rev. Lett. 102, 073005 (2009), doi:10.1103/PhysRevLett.102.073005;
/// the ratio: Stoehr, Michelitsch, Tully, Reuter, Maurer, J. Chem. Phys. 144, 151101 (2016),
/// doi:10.1063/1.4947214
class TkatchenkoScheffler final : public EnergyTerm {
  public:
    /// @param scaling s_R
    explicit TkatchenkoScheffler(double scaling) : scaling_(scaling) {}
    std::string name() const override { return "dispersion"; }
    bool needs_on_site() const override { return true; }
    /// @throw UnsupportedError for an element without values of the free atom
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges& charges, Charges& potential) const override;
    void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const override;
    void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const override;

  private:
    /// What damping takes away from a pair: (1 - f) C6_ij / R^6 and its derivatives with respect to R and
    /// v_i.
    struct Damped {
        double value, slope, by_ratio;
    };
    Damped damped(int i, int j, double r, const Eigen::VectorXd& v) const;
    /// Volume ratios. @param on_site electrons in the on-site blocks, (atoms)
    Eigen::VectorXd ratios(const Eigen::VectorXd& on_site) const;
    std::size_t type(int i) const { return static_cast<std::size_t>(types_[static_cast<std::size_t>(i)]); }

    double scaling_;
    Eigen::VectorXd neutral_;     ///< valence electrons of the free atoms, (atoms)
    std::vector<int> types_;      ///< (atoms), index into what follows
    std::vector<double> radius_;  ///< of the free atom, bohr
    Eigen::MatrixXd c6_;          ///< of free atoms, hartree bohr^6
    std::optional<InverseSixthSum> sum_;
    Eigen::MatrixXd matrix_;  ///< of the undamped sum
    std::optional<NeighborList> near_;
};

}  // namespace stembridge::tb

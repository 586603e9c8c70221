// SPDX-License-Identifier: Apache-2.0
// Second-order energy of the charge fluctuations: 1/2 dq gamma dq.
#pragma once

#include <optional>
#include <vector>

#include "coulomb/ewald.hpp"
#include "coulomb/gamma.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// The structure as lattice sums see it: a cell that repeats in one direction only is taken as a box that
/// repeats in all three. @throw InputError when the box leaves no room in the other directions
Structure electrostatic_structure(const Structure& structure);

class CoulombTerm final : public EnergyTerm {
  public:
    /// @param hydrogen_damping exponent of the damped gamma for pairs with hydrogen
    explicit CoulombTerm(std::optional<double> hydrogen_damping) : damping_(hydrogen_damping) {}

    std::string name() const override { return "coulomb"; }
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges& charges, Charges& potential) const override;
    void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const override;
    void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const override;

    /// gamma between all sites, (sites, sites), hartree/e^2.
    const Eigen::MatrixXd& matrix() const { return gamma_; }

  private:
    const Gamma& gamma(int site_a, int site_b) const;
    /// -sum q_s q_t dS/dR over the sites of a pair of atoms.
    double short_range_slope(const Neighbor& pair, int i, const Eigen::VectorXd& q) const;
    Eigen::VectorXd atomic(const Eigen::VectorXd& site_charges) const;

    std::optional<double> damping_;
    Structure structure_;
    std::vector<int> atom_of_site_, first_site_, type_of_site_;
    std::vector<Gamma> gammas_;
    int n_types_ = 0;
    std::optional<Ewald> ewald_;
    std::optional<NeighborList> pairs_;
    Eigen::MatrixXd gamma_;
};

}  // namespace stembridge::tb

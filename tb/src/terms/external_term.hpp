// SPDX-License-Identifier: Apache-2.0
// Point charges and a uniform field around the system.
#pragma once

#include <optional>

#include "stembridge/tb/energy_term.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::tb {

/// sum_i Q_i phi(r_i) with net charges Q_i = -dq_i and the potential phi of the outer charges (repeated with
/// the cell where there is one) and of the field.
class ExternalTerm final : public EnergyTerm {
  public:
    explicit ExternalTerm(ExternalOptions options) : options_(std::move(options)) {}
    std::string name() const override { return "external"; }
    /// @throw InputError for a point charge on top of an atom, or a field along a periodic direction
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges& charges, Charges& potential) const override;
    void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const override;
    /// @throw UnsupportedError always: outer charges do not follow a strain
    void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const override;

  private:
    Eigen::VectorXd net_charges(const Charges& charges) const;

    ExternalOptions options_;
    std::vector<int> atom_of_site_;
    Structure together_;  ///< atoms, then point charges
    int n_atoms_ = 0;
    Eigen::VectorXd potential_;  ///< phi at the atoms, hartree/e
};

}  // namespace stembridge::tb

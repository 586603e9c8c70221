// SPDX-License-Identifier: Apache-2.0
// Energy of the spin polarisation of the shells: 1/2 sum m_l W_ll' m_l' on each atom.
#pragma once

#include <Eigen/Sparse>
#include <map>
#include <vector>

#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// @source Koehler et al., Chem. Phys. 309, 23 (2005), doi:10.1016/j.chemphys.2004.03.034
class SpinTerm final : public EnergyTerm {
  public:
    /// @param constants W by atomic number, (shells, shells), hartree
    explicit SpinTerm(std::map<int, Eigen::MatrixXd> constants) : constants_(std::move(constants)) {}
    std::string name() const override { return "spin"; }
    /// @throw InputError when an element has no constants or too few
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges& charges, Charges& potential) const override;
    void add_forces(const Charges&, Eigen::Matrix3Xd&) const override {}
    void add_stress(const Charges&, Eigen::Matrix3d&) const override {}

    /// W between all shells, (shells, shells), hartree/e^2.
    Eigen::SparseMatrix<double> matrix() const;

  private:
    Eigen::VectorXd potential_of(const Eigen::VectorXd& spin) const;

    std::map<int, Eigen::MatrixXd> constants_;
    std::vector<const Eigen::MatrixXd*> of_atom_;
    std::vector<int> first_shell_;
};

}  // namespace stembridge::tb

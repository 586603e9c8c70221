// SPDX-License-Identifier: Apache-2.0
// Third order of the charge fluctuations: 1/3 sum Gamma_ab dq_a^2 dq_b.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "coulomb/gamma.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/tb/energy_term.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::tb {

/// @source Gaus, Cui, Elstner, J. Chem. Theory Comput. 7, 931 (2011), doi:10.1021/ct100684s
class ThirdOrderTerm final : public EnergyTerm {
  public:
    explicit ThirdOrderTerm(ThirdOrderOptions options) : options_(std::move(options)) {}
    std::string name() const override { return "third_order"; }
    /// @throw InputError when an element has no Hubbard derivative
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges& charges, Charges& potential) const override;
    void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const override;
    void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const override;

  private:
    /// S and its derivatives of a pair of elements, the first of which carries the derivative dU/dq.
    const Gamma& gamma(int i, int j) const;
    double slope(int i, const Neighbor& pair, const Eigen::VectorXd& q) const;

    ThirdOrderOptions options_;
    std::vector<int> element_;
    std::vector<Gamma> gammas_;
    std::size_t n_elements_ = 0;
    Eigen::VectorXd derivative_;  ///< dU/dq of each atom
    std::optional<NeighborList> pairs_;
    Eigen::MatrixXd matrix_;  ///< Gamma_ab
};

}  // namespace stembridge::tb

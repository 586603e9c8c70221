// SPDX-License-Identifier: Apache-2.0
// Short-range pair energy of the tables.
#pragma once

#include <optional>
#include <vector>

#include "hamiltonian/parameters.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

class RepulsiveTerm final : public EnergyTerm {
  public:
    /// @param parameters must outlive the term
    explicit RepulsiveTerm(const Parameters& parameters) : parameters_(parameters) {}
    std::string name() const override { return "repulsive"; }
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges&, Charges&) const override {}
    void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const override;
    void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const override;

  private:
    const SkfRepulsive& pair(int i, int j) const;

    const Parameters& parameters_;
    std::vector<int> element_;
    std::optional<NeighborList> pairs_;
};

}  // namespace stembridge::tb

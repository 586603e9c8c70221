// SPDX-License-Identifier: Apache-2.0
// Dispersion between all pairs of atoms.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dispersion/inverse_sixth_sum.hpp"
#include "dispersion/pair_model.hpp"
#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// In a cluster the sum over all pairs; in a cell the lattice sum of -C6 / R^6, and the short-ranged rest by
/// pairs.
class DispersionTerm final : public EnergyTerm {
  public:
    explicit DispersionTerm(std::unique_ptr<PairModel> model) : model_(std::move(model)) {}
    std::string name() const override { return "dispersion"; }
    void update(const Structure& structure, const Basis& basis, const Sites& sites) override;
    double energy(const Charges& charges) const override;
    void add_potential(const Charges&, Charges&) const override {}
    void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const override;
    void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const override;

  private:
    /// Calls visit(i, r_ij, energy, slope) for all ordered pairs.
    template <class Visit>
    void for_pairs(Visit visit) const;

    std::unique_ptr<PairModel> model_;
    Structure structure_;
    std::vector<int> types_;
    std::optional<InverseSixthSum> lattice_;
    double lattice_energy_ = 0;
    std::optional<NeighborList> pairs_;
};

}  // namespace stembridge::tb

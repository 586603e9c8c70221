// SPDX-License-Identifier: Apache-2.0
// A heat bath: a chain of thermostats, each keeping the one before it at temperature.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "stembridge/base/state.hpp"

namespace stembridge::md {

/// @source Martyna, Tuckerman, Tobias, Klein, Mol. Phys. 87, 1117 (1996), section 3
class NoseHooverChain {
  public:
    /// @param kT hartree  @param period of the thermostat, atomic time units
    /// @param order factors of the Suzuki-Yoshida product: 1, 3 or 5
    NoseHooverChain(double kT, int degrees_of_freedom, double period, int length, int substeps, int order);
    /// Moves the chain by half a time step. @param kinetic of the atoms, hartree
    /// @return by what the velocities of the atoms are to be scaled
    double half_step(double kinetic, double timestep);
    /// sum_j Q_j v_j^2 / 2 + N_f kT x_1 + sum_{j>1} kT x_j, hartree.
    double energy() const;

    State save() const;
    void restore(const State& state);

  private:
    double kT_;
    double n_f_;
    int substeps_;
    std::vector<double> weights_;   ///< Suzuki-Yoshida
    Eigen::VectorXd mass_, x_, v_;  ///< Q, position and velocity of each thermostat
};

}  // namespace stembridge::md

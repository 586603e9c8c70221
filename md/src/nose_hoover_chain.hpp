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
    /// @param reference_kT sets the masses of the thermostats, hartree  @param period of the thermostat at
    /// that temperature, atomic time units
    /// @param order factors of the Suzuki-Yoshida product: 1, 3 or 5
    NoseHooverChain(double reference_kT, int degrees_of_freedom, double period, int length, int substeps,
                    int order);
    /// Moves the chain by half a time step. @param kinetic of the atoms, hartree  @param kT of the bath,
    /// hartree  @return by what the velocities of the atoms are to be scaled
    double half_step(double kinetic, double kT, double timestep);
    /// sum_j Q_j v_j^2 / 2 + integral of N_f kT dx_1 + sum_{j>1} kT dx_j, hartree.
    double energy() const;

    State save() const;
    void restore(const State& state);

  private:
    double n_f_;
    int substeps_;
    std::vector<double> weights_;  ///< Suzuki-Yoshida
    Eigen::VectorXd mass_, v_;     ///< Q and velocity of each thermostat
    double taken_ = 0;             ///< the integral in energy()
};

}  // namespace stembridge::md

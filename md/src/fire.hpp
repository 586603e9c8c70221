// SPDX-License-Identifier: Apache-2.0
// FIRE: dynamics that are steered downhill and stopped when they turn uphill. Needs no energy, shrugs off
// noise, and is safe far from a minimum.
#pragma once

#include "optimizer.hpp"

namespace stembridge::md {

/// @source Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); semi-implicit Euler and the step back:
/// Guenole et al., Comput. Mater. Sci. 175, 109584 (2020)
class Fire final : public Optimizer {
  public:
    Fire(const FreeCoordinates& free, double max_step_length);
    Eigen::VectorXd propose(const Structure& structure, const Eigen::VectorXd& gradient) override;
    Verdict judge(const Eigen::VectorXd& gradient, const Eigen::VectorXd& new_gradient, double energy_change,
                  double energy_error) override;
    State save() const override;
    void restore(const State& state) override;

  private:
    struct Motion {
        Eigen::VectorXd velocity;
        Eigen::VectorXd mass;  ///< stiffness of each coordinate, hartree/bohr^2
        double timestep;
        double mixing;
        int downhill_steps = 0;
    };
    const FreeCoordinates& free_;
    double max_step_length_;
    Motion now_, next_;
};

}  // namespace stembridge::md

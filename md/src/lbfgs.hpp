// SPDX-License-Identifier: Apache-2.0
// L-BFGS with a preconditioner, backtracking on the energy, and on the gradient where the energy is noise.
#pragma once

#include <deque>
#include <optional>

#include "bond_preconditioner.hpp"
#include "optimizer.hpp"

namespace stembridge::md {

/// @source Nocedal, Wright, Numerical Optimization, algorithms 3.1 and 7.4; approximate Wolfe condition:
/// Hager, Zhang, SIAM J. Optim. 16, 170 (2005), equation 4.1; updates left out where the energy curves down:
/// Li, Fukushima, SIAM J. Optim. 11, 1054 (2001); there the same line is followed in growing steps: Nocedal,
/// Wright, algorithm 3.5
class Lbfgs final : public Optimizer {
  public:
    /// @param energy_noise energy differences below this carry no information, hartree
    Lbfgs(const FreeCoordinates& free, double max_step_length, int memory, bool precondition,
          double energy_noise);
    Eigen::VectorXd propose(const Structure& structure, const Eigen::VectorXd& gradient) override;
    Verdict judge(const Eigen::VectorXd& gradient, const Eigen::VectorXd& new_gradient, double energy_change,
                  double energy_error) override;
    State save() const override;
    void restore(const State& state) override;

  private:
    struct Pair {
        Eigen::VectorXd s, y;
    };
    Eigen::VectorXd downhill(const Structure& structure, const Eigen::VectorXd& gradient);
    void update_preconditioner(const Structure& structure);

    const FreeCoordinates& free_;
    double max_step_length_;
    int memory_;
    bool precondition_;
    double energy_noise_;
    std::deque<Pair> pairs_;
    Eigen::Matrix3Xd built_at_;  ///< the positions the preconditioner belongs to; empty = none yet
    Eigen::Matrix3d built_in_;   ///< the cell it belongs to
    std::optional<BondPreconditioner> preconditioner_;  ///< made again from built_at_ after a restart
    Eigen::VectorXd direction_;                         ///< from the accepted structure; empty = to be found
    double fraction_ = 1;                               ///< of the direction to go
    int rejections_ = 0;                                ///< in a row
};

}  // namespace stembridge::md

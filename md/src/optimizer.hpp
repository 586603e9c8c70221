// SPDX-License-Identifier: Apache-2.0
// What FIRE and L-BFGS have in common: they propose a displacement and judge what came of it.
#pragma once

#include <Eigen/Dense>

#include "coordinates.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// What to do with the structure a displacement led to.
enum class Verdict {
    accept,
    retry,   ///< go back; the next proposal is another one from the same point
    give_up  ///< go back; there is no way down from here
};

/// Vectors hold the free coordinates only.
class Optimizer {
  public:
    virtual ~Optimizer() = default;
    /// Displacement from the last accepted structure, bohr. Asked twice, it answers the same.
    /// @param gradient of the energy there, hartree/bohr
    virtual Eigen::VectorXd propose(const Structure& structure, const Eigen::VectorXd& gradient) = 0;
    /// @param gradient at the accepted structure  @param new_gradient after the displacement
    /// @param energy_change hartree  @param energy_error how far it can be off, hartree
    virtual Verdict judge(const Eigen::VectorXd& gradient, const Eigen::VectorXd& new_gradient,
                          double energy_change, double energy_error) = 0;
    virtual State save() const = 0;
    virtual void restore(const State& state) = 0;
};

/// The displacement, shortened so that no atom moves further than `longest`.
inline Eigen::VectorXd capped(const FreeCoordinates& free, Eigen::VectorXd displacement, double longest) {
    const double largest = free.largest(displacement);
    if (largest > longest) displacement *= longest / largest;
    return displacement;
}

/// The displacement with that of each atom shortened on its own, so that one atom in a bad place does not
/// hold up all others; of all alike where that would not go downhill.
/// @param gradient hartree/bohr
inline Eigen::VectorXd each_capped(const FreeCoordinates& free, const Eigen::VectorXd& displacement,
                                   const Eigen::VectorXd& gradient, double longest) {
    Eigen::VectorXd shortened = displacement;
    free.for_each_atom(shortened, [&](Eigen::Ref<Eigen::VectorXd> of_atom) {
        const double length = of_atom.norm();
        if (length > longest) of_atom *= longest / length;
    });
    // At least as steep as the common shortening.
    const Eigen::VectorXd in_common = capped(free, displacement, longest);
    return shortened.dot(gradient) < in_common.dot(gradient) ? shortened : in_common;
}

}  // namespace stembridge::md

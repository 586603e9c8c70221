// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <stdexcept>

#include "stembridge/structure/calculator.hpp"

namespace stembridge::md {

/// Whether energy, forces and, where wanted, stress are finite numbers.
/// @throw std::logic_error when the calculator left out what was wanted
inline bool is_finite(const Evaluation& evaluation, const Calculator& calculator, int n_atoms,
                      bool with_stress = false) {
    if (evaluation.forces.cols() != n_atoms || (with_stress && !evaluation.stress))
        throw std::logic_error(calculator.description() + " gave no " +
                               (evaluation.forces.cols() != n_atoms ? "forces" : "stress"));
    return std::isfinite(evaluation.energy) && evaluation.forces.allFinite() &&
           (!with_stress || evaluation.stress->allFinite());
}

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// Parts of a checkpoint that relaxation and dynamics share.
#pragma once

#include "stembridge/base/state.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Every entry of an evaluation.
State state_of(const Evaluation& evaluation);
Evaluation evaluation_of(const State& state);

/// The elements and the positions of a structure.
State state_of(const Structure& structure);
/// Puts saved positions into the structure they were saved from. @throw FileError when it has other atoms
void restore_positions(const State& state, Structure& structure);

}  // namespace stembridge::md

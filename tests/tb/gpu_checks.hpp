// SPDX-License-Identifier: Apache-2.0
// What a GPU has to do, a real one (test_gpu.cpp) or an emulated one (tests/cuda).
#pragma once

#include "stembridge/structure/structure.hpp"

namespace stembridge::testing {

/// Every operation and every solver agrees with the processor. @return number of comparisons
int check_comparisons_of_gpu(int index);
/// Self-consistent energies and forces by each method agree with diagonalisation on the processor.
void check_forces_of_gpu(const Structure& structure);

}  // namespace stembridge::testing

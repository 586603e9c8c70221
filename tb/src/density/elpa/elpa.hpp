// SPDX-License-Identifier: Apache-2.0
// Full diagonalisation shared by the processes of mpirun.
#pragma once

#include <memory>

#include "stembridge/tb/density_solver.hpp"

namespace stembridge::tb {

/// @throw UnsupportedError when the build has no ELPA, or on a process that is not the first
std::unique_ptr<DensitySolver> make_elpa_solver();

}  // namespace stembridge::tb

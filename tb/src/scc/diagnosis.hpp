// SPDX-License-Identifier: Apache-2.0
// Why a self-consistency did not converge, in words a user can act on.
#pragma once

#include <string>
#include <vector>

#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// @param errors of all cycles, e  @param gap around the Fermi level, hartree  @param kT electronic, hartree
/// @param asked_kT the same before any fallback raised it
std::string diagnose(const Basis& basis, const Sites& sites, const Charges& in, const Charges& out,
                     const std::vector<double>& errors, double gap, double kT, double asked_kT);

}  // namespace stembridge::tb

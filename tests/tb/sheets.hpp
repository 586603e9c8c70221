// SPDX-License-Identifier: Apache-2.0
// Sheets of a hundred atoms, metallic and gapped, and their matrices with the built-in parameters.
#pragma once

#include <memory>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::testing {

/// Options with the built-in parameters.
tb::SccDftbOptions builtin_options();

/// Round flake without hydrogen, so that it is metallic, rattled, with a Si atom out of its plane.
Structure rattled_flake(double radius_angstrom, double rattle_angstrom);

/// Periodic sheet of carbon and silicon in turn, which opens a gap; 2 repeats^2 atoms.
Structure gapped_carbide_sheet(int repeats);

/// H and S of a structure at neutral charges.
std::unique_ptr<tb::ElectronicState> matrices_of(const Structure& structure);

}  // namespace stembridge::testing

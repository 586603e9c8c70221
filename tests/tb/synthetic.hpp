// SPDX-License-Identifier: Apache-2.0
// A small invented parameter set (H: s, C: s p, Si: s p d) and structures, so that the tests need no
// published tables.
#pragma once

#include <filesystem>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::testing {

/// Writes all nine Slater-Koster files into a folder.
void write_synthetic_set(const std::filesystem::path& folder);

/// Options that use the set in a folder, with a tolerance tight enough for finite differences.
tb::SccDftbOptions synthetic_options(const std::filesystem::path& folder, double temperature_k);

/// A bent molecule of five atoms, C C Si H H, without symmetry.
Structure molecule();

/// A triclinic cell with five atoms.
Structure crystal();

}  // namespace stembridge::testing

// SPDX-License-Identifier: Apache-2.0
// The radial orbitals behind a Slater-Koster set, for functions in space.
#pragma once

#include <vector>

#include "stembridge/dft/two_centre.hpp"
#include "stembridge/tb/tables/orbitals.hpp"

namespace stembridge::dft {

/// Radial parts R = u / r of the valence orbitals of the atoms, the same functions that the two-centre
/// integrals are taken of, at the distances 0.3 (exp(0.012 k) - 1) bohr out to where all of them are
/// negligible: the rows of two sets differ in nothing but their number.
tb::OrbitalTable orbital_table(const std::vector<PseudoAtom>& atoms);

}  // namespace stembridge::dft

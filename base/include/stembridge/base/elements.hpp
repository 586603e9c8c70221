// SPDX-License-Identifier: Apache-2.0
// The periodic table, as far as this program needs it.
#pragma once

#include <string>
#include <string_view>

namespace stembridge {

/// Symbol of an element, e.g. 6 -> "C". @throw InputError outside 1..94
const std::string& element_symbol(int atomic_number);

/// Atomic number of a symbol, e.g. "Si" -> 14 (case-sensitive). @throw InputError for an unknown symbol
int atomic_number(std::string_view symbol);

/// Standard atomic mass in electron masses. @source IUPAC 2021 (abridged)
double atomic_mass(int atomic_number);

/// Single-bond covalent radius in bohr. @source Cordero et al., Dalton Trans. 2832 (2008)
double covalent_radius(int atomic_number);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Small helpers shared by the builders.
#pragma once

#include <string>

#include "stembridge/structure/builders.hpp"

namespace stembridge {

/// "atom 12 (C)", counted from 1.
std::string atom_name(const Structure& structure, int atom);

/// Atomic number of atom i.
inline int element_of(const Structure& structure, int atom) {
    return structure.atomic_numbers[static_cast<std::size_t>(atom)];
}

/// 0, 1, ..., n-1.
std::vector<int> all_indices(int n);

/// The atoms whose flag is set, in ascending order.
std::vector<int> flagged(const std::vector<bool>& flags);

/// @throw InputError when an index is not an atom of the structure
void check_atom(const Structure& structure, int atom);

/// A vector brought near zero by whole lattice vectors along the periodic directions.
Eigen::Vector3d nearest_image(const Cell& cell, const Eigen::Vector3d& r);

/// remove_dangling() of a structure whose atom i is atom origin[i] of what the report counts in.
Derived remove_dangling_counted(const Structure& structure, const std::vector<int>& origin,
                                BuildReport& report, const BondCriteria& bonds);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Order of elimination that keeps the factors of a sheet sparse.
#pragma once

#include <vector>

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// Neighbours of every atom, ascending, without the atom itself.
using AtomGraph = std::vector<std::vector<int>>;

/// Atoms that share a block, through images too.
AtomGraph atom_graph(const BlockPattern& pattern);

/// Atoms in the order of elimination, from nested dissection of the graph; the same on every run.
/// @throw NumericalError when the graph cannot be partitioned
/// @source Karypis and Kumar, SIAM J. Sci. Comput. 20, 359 (1998), doi:10.1137/S1064827595287997
std::vector<int> nested_dissection(const AtomGraph& graph);

}  // namespace stembridge::tb

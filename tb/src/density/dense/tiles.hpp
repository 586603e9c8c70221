// SPDX-License-Identifier: Apache-2.0
// Groups of atoms, so that products of eigenvectors are formed in pieces of good size and only where wanted.
#pragma once

#include <vector>

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// Pairs of groups of consecutive atoms that hold at least one block of the pattern.
struct Tiles {
    struct Pair {
        int first_row, n_rows, first_column, n_columns;  ///< orbitals
        std::vector<std::size_t> blocks;                 ///< of the pattern
    };
    std::vector<Pair> pairs;

    Tiles() = default;
    explicit Tiles(const BlockPattern& pattern, int orbitals_per_tile = 96);
};

}  // namespace stembridge::tb

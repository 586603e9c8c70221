// SPDX-License-Identifier: Apache-2.0
// What the factorisation will look like: fronts, their places in each other, work and memory.
#pragma once

#include <cstdint>
#include <vector>

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// Consecutive rows of a front and where they are in its parent.
struct RowRun {
    int from, to, length;
};

/// A dense matrix in the tree of partial factorisations: atoms eliminated here (pivots), then those that they
/// are coupled to (boundary), all in the order of elimination.
struct Front {
    std::vector<int> atoms;
    int n_pivot_atoms = 0;
    int n_pivots = 0, n_boundary = 0;  ///< orbitals
    int parent = -1;                   ///< -1 at a root
    std::vector<int> children;
    std::vector<RowRun> in_parent;  ///< of the boundary rows, counted from 0
    std::size_t factor_offset = 0;  ///< of its pivot and boundary rows in the factor

    int size() const { return n_pivots + n_boundary; }
};

/// Where a block of the pattern belongs.
struct BlockPlace {
    std::size_t offset;    ///< of its values in a BlockMatrix
    int row, column;       ///< in the front, the block's atom j being the row unless `flipped`
    int n_i, n_j;          ///< orbitals of its atoms i, j
    bool flipped;          ///< atom i is the row
    bool image_of_itself;  ///< the block and its transpose belong here
};

/// Everything that depends on the pattern alone.
class Symbolic {
  public:
    explicit Symbolic(const BlockPattern& pattern);

    std::vector<Front> fronts;                    ///< children before parents, subtrees together
    std::vector<std::vector<BlockPlace>> places;  ///< of the blocks, per front
    int n_orbitals = 0;
    std::size_t n_factor_values = 0;  ///< of the factor
    std::size_t n_stack_values = 0;   ///< most that waits for parents
    int largest_front = 0, largest_pivots = 0;
    double work = 0;  ///< of factor and selected inverse, multiply-adds of numbers of the type used

    /// Bytes that one factorisation with its selected inverse needs. @param value_size of one number
    std::size_t bytes(std::size_t value_size) const;

  private:
    /// @param blocks_of of each front, indices in the pattern
    void place_in_fronts(const BlockPattern& pattern, const std::vector<std::vector<std::size_t>>& blocks_of);
    void count_memory_and_work();
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Which element of a matrix lies on which process.
#pragma once

#include <array>
#include <vector>

namespace stembridge::tb {

/// The share of one process in square matrices of n rows: squares of `block` rows and columns are dealt out,
/// in both directions in turn, to a grid of processes.
/// @source Blackford et al., ScaLAPACK Users' Guide (SIAM, 1997), section 4.3
struct BlockCyclic {
    /// @param rank of the process, of 0 to n_processes - 1, row by row of the grid
    BlockCyclic(int n, int n_processes, int rank);

    int n = 0;
    int block = 0;
    int grid_rows = 0, grid_columns = 0;     ///< of processes
    int grid_row = 0, grid_column = 0;       ///< of this process
    std::vector<int> rows, columns;          ///< those that lie here, ascending
    std::vector<int> row_here, column_here;  ///< place among them of each row and column, -1 = elsewhere

    int n_rows() const { return static_cast<int>(rows.size()); }
    int n_columns() const { return static_cast<int>(columns.size()); }
    /// What ScaLAPACK wants to know. @param context of BLACS
    std::array<int, 9> descriptor(int context) const;
};

}  // namespace stembridge::tb

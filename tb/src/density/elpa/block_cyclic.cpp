// SPDX-License-Identifier: Apache-2.0
#include "density/elpa/block_cyclic.hpp"

#include <algorithm>
#include <cmath>

namespace stembridge::tb {
namespace {

std::vector<int> dealt_to(int place, int n_places, int block, int n) {
    std::vector<int> result;
    for (int k = 0; k < n; ++k)
        if (k / block % n_places == place) result.push_back(k);
    return result;
}

std::vector<int> places(const std::vector<int>& here, int n) {
    std::vector<int> result(static_cast<std::size_t>(n), -1);
    for (std::size_t k = 0; k < here.size(); ++k)
        result[static_cast<std::size_t>(here[k])] = static_cast<int>(k);
    return result;
}

}  // namespace

BlockCyclic::BlockCyclic(int size, int n_processes, int rank) : n(size) {
    // As square as the number of processes allows.
    grid_rows = static_cast<int>(std::sqrt(n_processes));
    while (n_processes % grid_rows != 0) --grid_rows;
    grid_columns = n_processes / grid_rows;
    grid_row = rank / grid_columns;
    grid_column = rank % grid_columns;
    // ELPA wants something on every process.
    block = std::clamp(n / std::max(grid_rows, grid_columns), 1, 32);
    rows = dealt_to(grid_row, grid_rows, block, n);
    columns = dealt_to(grid_column, grid_columns, block, n);
    row_here = places(rows, n);
    column_here = places(columns, n);
}

std::array<int, 9> BlockCyclic::descriptor(int context) const {
    constexpr int dense = 1;
    return {dense, context, n, n, block, block, 0, 0, std::max(1, n_rows())};
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/dense/tiles.hpp"

#include <map>

namespace stembridge::tb {

Tiles::Tiles(const BlockPattern& pattern, int orbitals_per_tile) {
    const Basis& basis = pattern.basis();
    std::vector<int> tile_of_atom, first_orbital;
    for (int i = 0; i < basis.n_atoms(); ++i) {
        if (first_orbital.empty() || basis.first_orbital(i) - first_orbital.back() >= orbitals_per_tile)
            first_orbital.push_back(basis.first_orbital(i));
        tile_of_atom.push_back(static_cast<int>(first_orbital.size()) - 1);
    }
    first_orbital.push_back(basis.n_orbitals());
    std::map<std::pair<int, int>, std::vector<std::size_t>> found;
    for (std::size_t k = 0; k < pattern.blocks().size(); ++k) {
        const Block& b = pattern.blocks()[k];
        found[{tile_of_atom[static_cast<std::size_t>(b.i)], tile_of_atom[static_cast<std::size_t>(b.j)]}]
            .push_back(k);
    }
    for (auto& [tile, blocks] : found) {
        const auto row = static_cast<std::size_t>(tile.first), column = static_cast<std::size_t>(tile.second);
        pairs.push_back({first_orbital[row], first_orbital[row + 1] - first_orbital[row],
                         first_orbital[column], first_orbital[column + 1] - first_orbital[column],
                         std::move(blocks)});
    }
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/pattern_map.hpp"

#include <algorithm>
#include <map>

namespace stembridge::tb {

PatternMap::PatternMap(const BlockPattern& pattern) : n_orbitals_(pattern.basis().n_orbitals()) {
    const Basis& basis = pattern.basis();
    pair_of_value_.resize(pattern.n_values());
    std::map<std::pair<int, int>, std::uint32_t> first_pair;  // of the pairs of two atoms
    for (const Block& b : pattern.blocks()) {
        const int n_i = basis.n_orbitals(b.i), n_j = basis.n_orbitals(b.j);
        const auto [found, is_new] =
            first_pair.try_emplace({b.i, b.j}, static_cast<std::uint32_t>(row_.size()));
        // Pairs of one atom: the lower triangle by columns; of two atoms: all, atom j the row.
        const auto pair = [&, first = found->second](int in_i, int in_j) {
            if (b.i != b.j) return first + static_cast<std::uint32_t>(in_i * n_j + in_j);
            const int column = std::min(in_i, in_j), row = std::max(in_i, in_j);
            return first +
                   static_cast<std::uint32_t>(column * n_i - column * (column - 1) / 2 + row - column);
        };
        if (is_new)
            for (int in_i = 0; in_i < n_i; ++in_i)
                for (int in_j = b.i == b.j ? in_i : 0; in_j < n_j; ++in_j) {
                    row_.push_back(basis.first_orbital(b.j) + in_j);
                    column_.push_back(basis.first_orbital(b.i) + in_i);
                }
        for (int in_j = 0; in_j < n_j; ++in_j)
            for (int in_i = 0; in_i < n_i; ++in_i) {
                const std::size_t value = b.offset + static_cast<std::size_t>(in_j * n_i + in_i);
                pair_of_value_[value] = pair(in_i, in_j);
                // An on-site block holds both triangles; an image and its opposite both belong here.
                if (b.on_site() && in_j < in_i) continue;
                sources_.push_back({value, pair(in_i, in_j)});
                if (b.i == b.j && !b.on_site() && in_i == in_j) sources_.push_back({value, pair(in_i, in_j)});
            }
    }
}

std::vector<double> PatternMap::fold(const BlockMatrix& matrix) const {
    std::vector<double> pairs(n_pairs(), 0.0);
    for (const Source& s : sources_) pairs[s.pair] += matrix.values()[s.value];
    return pairs;
}

void PatternMap::add_unfolded(const std::vector<double>& pairs, BlockMatrix& out) const {
    for (std::size_t v = 0; v < pair_of_value_.size(); ++v) out.values()[v] += pairs[pair_of_value_[v]];
}

std::vector<std::complex<double>> PatternMap::unfolded(const std::vector<std::complex<float>>& pairs) const {
    std::vector<std::complex<double>> values;
    values.reserve(pair_of_value_.size());
    for (const std::uint32_t pair : pair_of_value_) values.emplace_back(pairs[pair]);
    return values;
}

std::vector<double> PatternMap::trace_weights(std::vector<double> pairs) const {
    for (std::size_t k = 0; k < pairs.size(); ++k)
        if (row_[k] != column_[k]) pairs[k] *= 2;
    return pairs;
}

std::vector<std::int64_t> PatternMap::dense_positions(bool mirror) const {
    std::vector<std::int64_t> positions(n_pairs());
    const std::int64_t n = n_orbitals_;
    for (std::size_t k = 0; k < positions.size(); ++k)
        positions[k] = mirror ? row_[k] * n + column_[k] : column_[k] * n + row_[k];
    return positions;
}

std::vector<std::int64_t> PatternMap::front_positions(const Symbolic& symbolic,
                                                      const std::vector<std::int64_t>& front_offsets,
                                                      bool mirror) const {
    std::vector<std::int64_t> positions(n_pairs(), -1);
    for (std::size_t f = 0; f < symbolic.fronts.size(); ++f) {
        const std::int64_t size = symbolic.fronts[f].size();
        for (const BlockPlace& place : symbolic.places[f])
            for (int j = 0; j < place.n_j; ++j)
                for (int i = 0; i < place.n_i; ++i) {
                    const std::int64_t a = place.row + (place.flipped ? i : j),
                                       b = place.column + (place.flipped ? j : i);
                    const std::int64_t row = std::max(a, b), column = std::min(a, b);
                    positions[pair_of_value_[place.offset + static_cast<std::size_t>(j * place.n_i + i)]] =
                        front_offsets[f] + (mirror ? row * size + column : column * size + row);
                }
    }
    return positions;
}

}  // namespace stembridge::tb

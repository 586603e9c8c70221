// SPDX-License-Identifier: Apache-2.0
// Between block matrices and the values that cross the bus: each pair of orbitals at Gamma once.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "density/pole_expansion/symbolic.hpp"
#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// The distinct pairs of orbitals (row >= column) of a pattern, images of atoms folded onto each other.
class PatternMap {
  public:
    explicit PatternMap(const BlockPattern& pattern);

    std::size_t n_pairs() const { return row_.size(); }
    int n_orbitals() const { return n_orbitals_; }
    int row(std::size_t k) const { return row_[k]; }
    int column(std::size_t k) const { return column_[k]; }

    /// Elements of the matrix at Gamma, (n_pairs).
    std::vector<double> fold(const BlockMatrix& matrix) const;
    /// Adds to every block the element that belongs there. @param pairs (n_pairs)
    void add_unfolded(const std::vector<double>& pairs, BlockMatrix& out) const;
    /// The element that belongs to each value of the pattern. @param pairs (n_pairs)
    std::vector<std::complex<double>> unfolded(const std::vector<std::complex<float>>& pairs) const;
    /// Times two off the diagonal: sum_k of the result with another matrix's pairs is the trace of the
    /// product.
    std::vector<double> trace_weights(std::vector<double> pairs) const;

    /// Places in a dense column-major matrix: of the element, and of its mirror image.
    std::vector<std::int64_t> dense_positions(bool mirror) const;
    /// Places in the fronts of one pole, each a full column-major matrix.
    /// @param front_offsets of the first values of the fronts
    std::vector<std::int64_t> front_positions(const Symbolic& symbolic,
                                              const std::vector<std::int64_t>& front_offsets,
                                              bool mirror) const;

  private:
    /// Value of the pattern that is added to a pair.
    struct Source {
        std::size_t value;
        std::uint32_t pair;
    };
    int n_orbitals_;
    std::vector<int> row_, column_;
    std::vector<Source> sources_;
    std::vector<std::uint32_t> pair_of_value_;
};

}  // namespace stembridge::tb

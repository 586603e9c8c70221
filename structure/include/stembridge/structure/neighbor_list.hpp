// SPDX-License-Identifier: Apache-2.0
// All pairs of atoms closer than a cut-off, with periodic images.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <vector>

#include "stembridge/structure/structure.hpp"

namespace stembridge {

/// One pair: r_ij = r_j - r_i + shift.
struct Neighbor {
    int j = 0;
    std::array<int, 3> image = {0, 0, 0};  ///< how many lattice vectors atom j was moved by
    Eigen::Vector3d r_ij;                  ///< bohr
    double distance = 0;                   ///< bohr
};

/// Neighbours of each atom within a cut-off. Full list: a pair (i, j) stands at i and at j; an atom is a
/// neighbour of its own periodic images but never of itself. The order is by j, then image: it depends on
/// nothing else.
class NeighborList {
  public:
    /// @param cutoff bohr  @throw InputError when the cell is singular in a periodic direction
    NeighborList(const Structure& structure, double cutoff);
    const std::vector<Neighbor>& of(int atom) const { return neighbors_[static_cast<std::size_t>(atom)]; }
    int n_atoms() const { return static_cast<int>(neighbors_.size()); }
    double cutoff() const { return cutoff_; }

  private:
    std::vector<std::vector<Neighbor>> neighbors_;
    double cutoff_;
};

}  // namespace stembridge

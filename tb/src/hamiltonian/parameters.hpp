// SPDX-License-Identifier: Apache-2.0
// Everything the tables say about a set of elements.
#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "hamiltonian/two_centre.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// Elements and pairs of elements, read from Slater-Koster files. Pairs are indexed by (a, b), a and b in the
/// order of `elements()`.
class Parameters {
  public:
    /// @param atomic_numbers distinct, ascending  @param max_l by atomic number; left out = highest shell
    /// with integrals in the element's own file
    /// @throw InputError naming all missing pairs  @throw FileError for malformed or contradicting files
    Parameters(const std::vector<std::filesystem::path>& folders, const std::vector<int>& atomic_numbers,
               const std::map<int, int>& max_l);

    const std::vector<ElementData>& elements() const { return elements_; }
    const TwoCentre& two_centre(int a, int b) const { return two_centre_[index(a, b)]; }
    const SkfRepulsive& repulsive(int a, int b) const { return repulsive_[index(a, b)]; }

    /// H0 and S of a structure. @throw InputError for two atoms closer than the tables reach
    void hamiltonian_and_overlap(const BlockPattern& pattern, BlockMatrix& hamiltonian,
                                 BlockMatrix& overlap) const;

  private:
    std::size_t index(int a, int b) const {
        return static_cast<std::size_t>(a) * elements_.size() + static_cast<std::size_t>(b);
    }
    std::vector<ElementData> elements_;
    std::vector<TwoCentre> two_centre_;
    std::vector<SkfRepulsive> repulsive_;
};

}  // namespace stembridge::tb

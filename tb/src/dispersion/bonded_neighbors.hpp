// SPDX-License-Identifier: Apache-2.0
// How many atoms each atom was bonded to when a system was first seen.
#pragma once

#include <cstdint>
#include <vector>

#include "stembridge/base/state.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::tb {

/// Numbers of bonded neighbours, which choose the polarisabilities of Slater and Kirkwood. They are those of
/// the first geometry of a system: counted anew, the energy would jump wherever a bond reaches its limit.
class BondedNeighbors {
  public:
    /// Of each atom, (n); counted when these are other atoms than the last time.
    /// @throw UnsupportedError for an element without parameters
    const std::vector<std::int64_t>& of(const Structure& structure);
    void clear() { *this = {}; }

    State save() const;
    /// @throw FileError when the entries do not fit together
    void restore(const State& state);

  private:
    std::vector<std::int64_t> atomic_numbers_, counts_;
};

}  // namespace stembridge::tb

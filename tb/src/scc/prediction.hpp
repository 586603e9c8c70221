// SPDX-License-Identifier: Apache-2.0
// Charges of earlier geometries, and from them a guess for a new one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stembridge/base/state.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// Remembers the last evaluations of one system. A system of other atoms, or one that moved far, begins anew.
class ChargeHistory {
  public:
    /// Adds the charges of a geometry. @param converged charges that are not stand alone: what came before is
    /// dropped
    void add(const Structure& structure, const Charges& charges, bool converged);

    /// Charges to start from: q_1 + sum_j c_j (q_j - q_1) with the c_j that best make the new positions,
    /// R ~ R_1 + sum_j c_j (R_j - R_1), where 1 is the last geometry. Empty when nothing of these atoms is
    /// known.
    /// @param extrapolate false = the last charges as they are
    /// @source Arias, Payne and Joannopoulos, Phys. Rev. B 45, 1538 (1992), with more than two differences
    std::optional<Charges> predict(const Structure& structure, bool extrapolate) const;

    /// Whether the charges belong to these atoms.
    bool is_of(const Structure& structure) const;
    void clear() { *this = {}; }

    State save() const;
    /// @throw FileError when the entries do not fit together
    void restore(const State& state);

  private:
    std::vector<std::int64_t> atomic_numbers_;
    struct Entry {
        Eigen::Matrix3Xd positions;
        Charges charges;
    };
    std::vector<Entry> entries_;  ///< the last one first
};

}  // namespace stembridge::tb

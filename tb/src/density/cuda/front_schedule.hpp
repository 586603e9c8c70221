// SPDX-License-Identifier: Apache-2.0
// The order in which a device works through the elimination tree, level by level.
#pragma once

#include <cstdint>
#include <vector>

#include "density/cuda/device.hpp"
#include "density/pole_expansion/symbolic.hpp"

namespace stembridge::tb {

/// Fronts by their distance from the root. All fronts of a level are independent of each other; elimination
/// goes from the last level to the first, the selected inverse from the first to the last.
struct FrontSchedule {
    /// @param largest_small size up to which fronts go into one batch; larger ones are taken one by one
    FrontSchedule(const Symbolic& symbolic, int largest_small);

    struct Level {
        std::vector<int> small, large;  ///< fronts
        int largest_small = 0;          ///< size
        /// Children of this level's fronts, in rounds in which no parent comes twice.
        std::vector<std::vector<ChildLink>> rounds;
    };
    std::vector<Level> levels;       ///< roots first
    std::vector<FrontShape> shapes;  ///< of the fronts of Symbolic
    std::vector<int> rows;           ///< of boundaries in their parents, as ChildLink::first_row counts
    std::int64_t n_values = 0;       ///< of the fronts of one pole
    /// Values of work space that one large front of one pole needs. @param block width of a step
    std::int64_t workspace(int block) const;
    /// Most large fronts on one level.
    int most_large() const;
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Cells that repeat in one or two directions only.
#pragma once

#include "stembridge/structure/cell.hpp"

namespace stembridge {

/// The cell with unit vectors perpendicular to the periodic vectors in place of those that do not repeat,
/// which may be zero: fractions along the periodic vectors are defined in it.
/// @return of no volume when the periodic vectors are linearly dependent
Cell completed(const Cell& cell);

}  // namespace stembridge

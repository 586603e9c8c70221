// SPDX-License-Identifier: Apache-2.0
// What to say when an overlap matrix is not positive definite.
#pragma once

#include <string>

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// Message that names the pairs of atoms that are closest for their size.
std::string overlap_error(const BlockPattern& pattern);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Small damages of the kinds that files meet.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace stembridge::testing {

/// One seed with one to eight damages: flipped bits, foreign bytes, cut, doubled and moved pieces, numbers
/// that are too large, negative, overflowed or none, and pieces of another seed.
std::string mutate(const std::vector<std::string>& seeds, std::mt19937_64& random);

}  // namespace stembridge::testing

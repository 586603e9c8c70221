// SPDX-License-Identifier: Apache-2.0
// Numbers as Fortran writes them: fused with their neighbours, overflowed to ****, NaN.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace stembridge::io {

/// A number that is not there.
inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// The numbers of a line. A sign begins a new number (-0.63-0.11); with a known count of digits behind the
/// point so does the digit after the last of them (38919.7238932.60). Runs of * and NaN or Infinity are
/// `missing`.
/// @param decimals digits behind the point of every number, 0 = free  @param width of the fields, splits long
/// runs of *, 0 = free  @return nothing when the line holds anything else
std::optional<std::vector<double>> fortran_numbers(std::string_view line, int decimals = 0, int width = 0);

/// The one number at the beginning of a text ("  -10.84671647 eV"), nothing when it is missing or not there.
std::optional<double> leading_number(std::string_view text);

/// The integer at the beginning of a text.
std::optional<int> leading_integer(std::string_view text);

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// A picture inside a figure.
#pragma once

#include <string>

#include "stembridge/io/plot.hpp"

namespace stembridge::io {

/// The pixels as a data: link of a PNG. @param longest_side_px larger pictures are averaged down to this
std::string picture_link(const Pixels& pixels, const Contrast& contrast, int longest_side_px);

}  // namespace stembridge::io

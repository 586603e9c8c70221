// SPDX-License-Identifier: Apache-2.0
// From the [build] table to the options of the builders.
#pragma once

#include "stembridge/settings/build.hpp"

namespace stembridge::settings {

/// @param pixels of the frame, when there is one  @param uncertainty (n) of each atom, or empty
/// @throw InputError naming the key that is missing or does not fit
BuildOptions build_options(const io::Config& config, const std::optional<PixelMap>& pixels,
                           const std::vector<double>& uncertainty);

}  // namespace stembridge::settings

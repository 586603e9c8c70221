// SPDX-License-Identifier: Apache-2.0
// Parts of the table of configuration keys that stand in a file of their own.
#pragma once

#include "stembridge/io/config.hpp"

namespace stembridge::app {

/// [selective] and [adsorb]
io::Schema study_keys();

}  // namespace stembridge::app

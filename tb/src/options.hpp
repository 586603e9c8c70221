// SPDX-License-Identifier: Apache-2.0
// Check of the options before anything is computed.
#pragma once

#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::tb {

/// @throw InputError, UnsupportedError, FileError as promised by the constructor of SccDftb
void check_options(const SccDftbOptions& options);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Where the running program is.
#pragma once

#include <filesystem>

namespace stembridge {

/// File of the program that this process runs; empty where the system does not say.
std::filesystem::path program_path();

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Where the running program is, and what was installed with it.
#pragma once

#include <filesystem>

namespace stembridge {

/// File of the program that this process runs; empty where the system does not say.
std::filesystem::path program_path();

/// A part of the installation, such as share/stembridge/data: in the nearest folder above the program, or
/// above the shared library that has this code in it (Python's module), that has such a part; empty where
/// none has. Build folders are laid out as installations.
std::filesystem::path find_installed(const std::filesystem::path& part);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// How much memory this process can still get.
#pragma once

#include <filesystem>

namespace stembridge {

/// Memory that can be had without swapping, bytes: what the system has available, caches that it would give
/// up included, or what the control groups of the process (version 2, as of a container or a batch job) leave
/// of their limits when that is less.
/// @param root folder under which proc/ and sys/ are found, for tests
double available_memory(const std::filesystem::path& root = "/");

}  // namespace stembridge

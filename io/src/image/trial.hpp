// SPDX-License-Identifier: Apache-2.0
// Trying out in a process of its own what may bring the process down.
#pragma once

#include <functional>
#include <string>

namespace stembridge::io {

/// Does an action in a copy of this process first: libhdf5 1.10 writes outside of its memory on some damaged
/// files, and then only the copy dies. Exceptions of the action are no failure: they come again when it is
/// done in earnest. Messages of the copy are dropped.
/// @param name of the image, for the message
/// @throw FileError when the copy crashes, or needs more than a minute of processor time
void try_first(const std::string& name, const std::function<void()>& action);

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// Work of the first process, which the others of mpirun help with large matrices.
#pragma once

#include <functional>

#include "session.hpp"

namespace stembridge::app {

/// Does the work on the first process. The others do their share of its diagonalisations (solver "elpa") and
/// return when it is done.
void with_helpers(Session& session, const std::function<void()>& work);

}  // namespace stembridge::app

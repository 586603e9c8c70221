// SPDX-License-Identifier: Apache-2.0
// What makes the pole expansion give way to diagonalisation.
#pragma once

#include <stdexcept>

namespace stembridge::tb {

/// A step that gave numbers that cannot be right.
class CheckFailed final : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace stembridge::tb

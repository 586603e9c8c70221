// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/errors.hpp"

#include <fmt/format.h>

namespace stembridge {

ConvergenceError::ConvergenceError(const std::string& what, int iterations, double residual, double tolerance,
                                   const std::string& cause)
    : Error(fmt::format(
          "{} did not converge: after {} iterations the residual is {:.3g}, the tolerance {:.3g}. {}", what,
          iterations, residual, tolerance, cause)),
      iterations_(iterations),
      residual_(residual),
      tolerance_(tolerance) {}

}  // namespace stembridge

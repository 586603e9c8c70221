// SPDX-License-Identifier: Apache-2.0
// The one place that knows which density solvers exist.
#include <fmt/format.h>

#include "density/dense/dense_gamma.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

std::unique_ptr<DensitySolver> make_density_solver(const std::string& name) {
    if (name == "auto" || name == "dense") return std::make_unique<DenseGammaSolver>();
    if (name == "pole-expansion" || name == "cuda" || name == "elpa")
        throw UnsupportedError(
            fmt::format("solver \"{}\" is not available; use \"auto\" or \"dense\"", name));
    throw InputError(fmt::format("unknown solver \"{}\"; accepted are \"auto\" and \"dense\"", name));
}

}  // namespace stembridge::tb

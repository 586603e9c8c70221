// SPDX-License-Identifier: Apache-2.0
// The one place that knows which density solvers exist.
#include <fmt/format.h>

#include "density/dense/dense_gamma.hpp"
#include "density/dense/dense_kpoints.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

std::unique_ptr<DensitySolver> make_density_solver(const std::string& name, bool only_gamma) {
    if (name == "auto" || name == "dense") {
        if (only_gamma) return std::make_unique<DenseGammaSolver>();
        return std::make_unique<DenseKPointSolver>();
    }
    if (name == "pole-expansion" || name == "cuda" || name == "elpa")
        throw UnsupportedError(
            fmt::format("solver \"{}\" is not available; use \"auto\" or \"dense\"", name));
    throw InputError(fmt::format("unknown solver \"{}\"; accepted are \"auto\" and \"dense\"", name));
}

}  // namespace stembridge::tb

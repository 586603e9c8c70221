// SPDX-License-Identifier: Apache-2.0
// The one place that knows which density solvers exist.
#include <fmt/format.h>

#include "density/dense/dense_gamma.hpp"
#include "density/dense/dense_kpoints.hpp"
#include "density/pole_expansion/pole_expansion.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

std::unique_ptr<DensitySolver> make_density_solver(const std::string& name, bool only_gamma,
                                                   double memory_limit) {
    if (name == "auto" || name == "pole-expansion")
        return std::make_unique<PoleExpansionSolver>(only_gamma, name == "auto", memory_limit);
    if (name == "dense") {
        if (only_gamma) return std::make_unique<DenseGammaSolver>();
        return std::make_unique<DenseKPointSolver>();
    }
    constexpr auto accepted = "\"auto\", \"dense\" and \"pole-expansion\"";
    if (name == "cuda" || name == "elpa")
        throw UnsupportedError(
            fmt::format("solver \"{}\" is not available; accepted are {}", name, accepted));
    throw InputError(fmt::format("unknown solver \"{}\"; accepted are {}", name, accepted));
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// The one place that knows which density solvers exist.
#include <fmt/format.h>

#include "density/cuda/choose_gpu.hpp"
#include "density/cuda/device_solver.hpp"
#include "density/cuda/gpu.hpp"
#include "density/dense/dense_gamma.hpp"
#include "density/dense/dense_kpoints.hpp"
#include "density/elpa/elpa.hpp"
#include "density/pole_expansion/pole_expansion.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

std::unique_ptr<DensitySolver> make_density_solver(const std::string& name, bool only_gamma,
                                                   double memory_limit, const DeviceOptions& device) {
    const DeviceMethod method = device_method_from_name(device.method);
    if (name == "cuda" || (name == "auto" && gpus_are_built()))
        return std::make_unique<DeviceSolver>([which = device.gpu] { return choose_gpu(which); }, method,
                                              only_gamma, name == "auto", memory_limit);
    if (name == "auto" || name == "pole-expansion")
        return std::make_unique<PoleExpansionSolver>(only_gamma, name == "auto", memory_limit);
    if (name == "dense") {
        if (only_gamma) return std::make_unique<DenseGammaSolver>();
        return std::make_unique<DenseKPointSolver>();
    }
    if (name == "elpa") return make_elpa_solver();
    throw InputError(
        fmt::format("unknown solver \"{}\"; accepted are \"auto\", \"dense\", \"pole-expansion\", "
                    "\"cuda\" and \"elpa\"",
                    name));
}

}  // namespace stembridge::tb

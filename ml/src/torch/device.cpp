// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <omp.h>

#include "stembridge/base/errors.hpp"

namespace stembridge::ml {

torch::Device torch_device(Device device) {
    const bool cuda = torch::cuda::is_available();
    if (device == Device::cuda && !cuda)
        throw BackendError(
            "device 'cuda': this LibTorch was built without CUDA, or the machine has no CUDA device; use "
            "'cpu' "
            "or 'auto'");
    // Networks are in 32 bits, or in bfloat16 where asked for; cuDNN would take 19 bits by itself.
    at::globalContext().setAllowTF32CuDNN(false);
    return device != Device::cpu && cuda ? torch::Device(torch::kCUDA) : torch::Device(torch::kCPU);
}

ThreadGuard::ThreadGuard(int threads) : before_(omp_get_max_threads()) {
    at::set_num_threads(threads);
}

ThreadGuard::~ThreadGuard() {
    omp_set_num_threads(before_);
}

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Built in place of the .cu files.
#include "density/cuda/gpu.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/devices.hpp"

namespace stembridge::tb {
namespace {

[[noreturn]] void fail() {
    throw BackendError("this program was built without CUDA: configure it with -DSTEMBRIDGE_CUDA=ON");
}

}  // namespace

bool gpus_are_built() {
    return false;
}

std::vector<Gpu> list_gpus() {
    fail();
}

std::unique_ptr<Device> open_gpu(int) {
    fail();
}

}  // namespace stembridge::tb

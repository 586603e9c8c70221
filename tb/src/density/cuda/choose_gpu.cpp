// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/choose_gpu.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <mutex>

#include "density/cuda/host_device.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

/// How many calculators of this process are on each GPU. Replicas may be set up by several threads.
class Register {
  public:
    template <typename Choose>
    int take(const Choose& choose) {
        const std::lock_guard lock(mutex_);
        const int index = choose(in_use_);
        ++in_use_[index];
        return index;
    }
    void give_back(int index) {
        const std::lock_guard lock(mutex_);
        --in_use_[index];
    }

  private:
    std::mutex mutex_;
    std::map<int, int> in_use_;
};

Register& gpu_register() {
    static Register instance;
    return instance;
}

}  // namespace

std::size_t least_used(const std::vector<Gpu>& gpus, const std::vector<int>& in_use) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < gpus.size(); ++k)
        if (in_use[k] < in_use[best] ||
            (in_use[k] == in_use[best] && gpus[k].free_memory > gpus[best].free_memory))
            best = k;
    return best;
}

std::unique_ptr<Device> choose_gpu(const std::string& which, const GpuAccess& access) {
    if (which == "host") return make_host_device();
    int wanted = -1;
    if (which != "auto") {
        const char* end = which.data() + which.size();
        const auto [rest, error] = std::from_chars(which.data(), end, wanted);
        if (error != std::errc() || rest != end || wanted < 0)
            throw InputError(
                fmt::format("GPU \"{}\" is neither \"auto\" nor \"host\" nor an index such as \"0\"", which));
    }
    const std::vector<Gpu> gpus = access.list();
    const int index = gpu_register().take([&](std::map<int, int>& known) {
        if (wanted >= 0) return wanted;
        std::vector<int> in_use;
        for (const Gpu& gpu : gpus) in_use.push_back(known[gpu.index]);
        return gpus[least_used(gpus, in_use)].index;
    });
    try {
        std::unique_ptr<Device> device = access.open(index);
        device->when_closed([index] { gpu_register().give_back(index); });
        return device;
    } catch (...) {
        gpu_register().give_back(index);
        throw;
    }
}

}  // namespace stembridge::tb

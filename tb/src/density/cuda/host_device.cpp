// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/host_device.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "density/cuda/host_dense.hpp"
#include "density/cuda/host_fronts.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

class HostDevice final : public Device {
  public:
    explicit HostDevice(std::size_t memory) : memory_(memory) {}
    ~HostDevice() override {
        for (const auto& [block, bytes] : blocks_) std::free(block);
    }
    std::string name() const override { return "the processor in place of a device"; }
    std::string kind() const override { return "host"; }
    std::size_t free_memory() const override { return memory_ - allocated(); }
    double expected_seconds(double n_flops) const override { return n_flops / 50e9; }

    void* allocate(std::size_t bytes) override {
        void* block = bytes <= free_memory() ? std::malloc(bytes) : nullptr;
        if (block == nullptr)
            throw BackendError(fmt::format("malloc failed: {:.2f} MiB wanted, {:.2f} MiB of {:.2f} MiB free",
                                           static_cast<double>(bytes) / 1048576,
                                           static_cast<double>(free_memory()) / 1048576,
                                           static_cast<double>(memory_) / 1048576));
        // What is read before it is written shows up as not a number.
        std::memset(block, 0xff, bytes);
        blocks_[block] = bytes;
        count_allocation(bytes);
        return block;
    }
    void release(void* memory) noexcept override {
        const auto found = blocks_.find(memory);
        if (found == blocks_.end()) return;
        count_release(found->second);
        blocks_.erase(found);
        std::free(memory);
    }
    void to_device(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
    void to_host(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
    void copy(void* to, const void* from, std::size_t bytes) override { std::memmove(to, from, bytes); }
    void set_zero(void* memory, std::size_t bytes) override { std::memset(memory, 0, bytes); }

    int n_streams() const override { return 4; }
    void fork() override {}
    void use_stream(int) override {}
    void join() override {}
    void synchronize() override {}

    DenseOperations<double>& dense(double) override { return dense_; }
    DenseOperations<float>& dense(float) override { return rough_dense_; }
    FrontOperations<double>& fronts(double) override { return fronts_; }
    FrontOperations<float>& fronts(float) override { return rough_fronts_; }

  private:
    std::size_t memory_;
    std::map<void*, std::size_t> blocks_;
    HostDense<double> dense_;
    HostDense<float> rough_dense_;
    HostFronts<double> fronts_;
    HostFronts<float> rough_fronts_;
};

}  // namespace

std::unique_ptr<Device> make_host_device(std::size_t memory) {
    return std::make_unique<HostDevice>(memory);
}

}  // namespace stembridge::tb

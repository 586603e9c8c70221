// SPDX-License-Identifier: Apache-2.0
// A device that hands everything on to the processor; tests change some of it.
#pragma once

#include "density/cuda/host_device.hpp"

namespace stembridge::testing {

class ForwardingDevice : public tb::Device {
  public:
    std::string name() const override { return "forwarding"; }
    std::string kind() const override { return "host"; }
    std::size_t free_memory() const override { return right_->free_memory(); }
    double expected_seconds(double n) const override { return right_->expected_seconds(n); }
    void* allocate(std::size_t bytes) override { return right_->allocate(bytes); }
    void release(void* memory) noexcept override { right_->release(memory); }
    void to_device(void* to, const void* from, std::size_t n) override { right_->to_device(to, from, n); }
    void to_host(void* to, const void* from, std::size_t n) override { right_->to_host(to, from, n); }
    void copy(void* to, const void* from, std::size_t n) override { right_->copy(to, from, n); }
    void set_zero(void* memory, std::size_t bytes) override { right_->set_zero(memory, bytes); }
    int n_streams() const override { return 2; }
    void fork() override {}
    void use_stream(int) override {}
    void join() override {}
    void synchronize() override {}
    tb::DenseOperations<double>& dense(double) override { return right_->dense(0.0); }
    tb::DenseOperations<float>& dense(float) override { return right_->dense(0.0f); }
    tb::FrontOperations<double>& fronts(double) override { return right_->fronts(0.0); }
    tb::FrontOperations<float>& fronts(float) override { return right_->fronts(0.0f); }

  private:
    std::unique_ptr<tb::Device> right_ = tb::make_host_device();
};

}  // namespace stembridge::testing

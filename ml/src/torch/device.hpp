// SPDX-License-Identifier: Apache-2.0
// Everything of LibTorch that depends on its version or on the device.
#pragma once

#include <torch/torch.h>

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

/// The device meant. @throw BackendError when CUDA is wanted and this LibTorch or this machine has none
torch::Device torch_device(Device device);

/// Of this thread; autocast.cpp, or autocast_before_2_4.cpp for an older LibTorch.
void use_bfloat16(const torch::Device& device, bool on);

/// 16-bit floats inside convolutions while it lives.
class Autocast {
  public:
    Autocast(bool enabled, const torch::Device& device) : enabled_(enabled), device_(device) {
        if (enabled_) use_bfloat16(device_, true);
    }
    ~Autocast() {
        if (enabled_) use_bfloat16(device_, false);
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

  private:
    bool enabled_;
    torch::Device device_;
};

/// Sets the threads of LibTorch for its life time and gives the program's own number back afterwards.
class ThreadGuard {
  public:
    explicit ThreadGuard(int threads);
    ~ThreadGuard();
    ThreadGuard(const ThreadGuard&) = delete;
    ThreadGuard& operator=(const ThreadGuard&) = delete;

  private:
    int before_;
};

}  // namespace stembridge::ml

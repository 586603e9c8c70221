// SPDX-License-Identifier: Apache-2.0
// Everything of LibTorch that depends on its version or on the device.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

/// The device meant. @throw BackendError when CUDA is wanted and this LibTorch or this machine has none
torch::Device torch_device(Device device);

/// 16-bit floats inside convolutions while it lives.
class Autocast {
  public:
    Autocast(bool enabled, const torch::Device& device) : enabled_(enabled), cuda_(device.is_cuda()) {
        if (!enabled_) return;
        if (cuda_) {
            at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
            at::autocast::set_enabled(true);
        } else {
            at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
            at::autocast::set_cpu_enabled(true);
        }
    }
    ~Autocast() {
        if (!enabled_) return;
        cuda_ ? at::autocast::set_enabled(false) : at::autocast::set_cpu_enabled(false);
        at::autocast::clear_cache();
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

  private:
    bool enabled_, cuda_;
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

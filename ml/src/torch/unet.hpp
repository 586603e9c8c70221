// SPDX-License-Identifier: Apache-2.0
// The U-Net as a LibTorch module.
#pragma once

#include <torch/torch.h>

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

/// Convolution 3 x 3 -> leaky ReLU 0.01 -> batch norm, several times.
/// @source architecture of Ziatdinov et al., Nat. Mach. Intell. 4, 1101 (2022)
class BlockImpl : public torch::nn::Module {
  public:
    BlockImpl(int in, int out, int layers) {
        namespace nn = torch::nn;
        for (int layer = 0; layer < layers; ++layer) {
            layers_->push_back(nn::Conv2d(nn::Conv2dOptions(layer == 0 ? in : out, out, 3).padding(1)));
            layers_->push_back(nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.01)));
            layers_->push_back(nn::BatchNorm2d(out));
        }
        register_module("layers", layers_);
    }
    torch::Tensor forward(const torch::Tensor& x) { return layers_->forward(x); }

  private:
    torch::nn::Sequential layers_;
};
TORCH_MODULE(Block);

/// Three blocks down, one at the bottom, three up with skipped connections; logits of each class out.
class UNetImpl : public torch::nn::Module {
  public:
    explicit UNetImpl(const NetworkShape& shape) {
        const int f = shape.filters;
        for (int level = 0; level < 4; ++level) {
            const int in = level == 0 ? 1 : f << (level - 1);
            down_.push_back(
                register_module("down" + std::to_string(level), Block(in, f << level, shape.layers[level])));
        }
        for (int level = 2; level >= 0; --level) {
            const int out = f << level;
            halve_.push_back(register_module("halve" + std::to_string(level),
                                             torch::nn::Conv2d(torch::nn::Conv2dOptions(2 * out, out, 1))));
            up_.push_back(
                register_module("up" + std::to_string(level), Block(2 * out, out, shape.layers[6 - level])));
        }
        classify_ =
            register_module("classify", torch::nn::Conv2d(torch::nn::Conv2dOptions(f, shape.classes, 1)));
    }

    /// @param x (batch, 1, height, width), sides multiples of 8
    torch::Tensor forward(torch::Tensor x) {
        namespace F = torch::nn::functional;
        std::vector<torch::Tensor> skipped;
        for (int level = 0; level < 3; ++level) {
            x = down_[level]->forward(x);
            skipped.push_back(x);
            x = torch::max_pool2d(x, 2);
        }
        x = down_[3]->forward(x);
        for (int step = 0; step < 3; ++step) {
            x = F::interpolate(x, F::InterpolateFuncOptions()
                                      .scale_factor(std::vector<double>{2, 2})
                                      .mode(torch::kBilinear)
                                      .align_corners(false));
            x = halve_[step]->forward(x);
            x = up_[step]->forward(torch::cat({skipped[2 - step], x}, 1));
        }
        return classify_->forward(x);
    }

  private:
    std::vector<Block> down_, up_;
    std::vector<torch::nn::Conv2d> halve_;
    torch::nn::Conv2d classify_{nullptr};
};
TORCH_MODULE(UNet);

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// The library's entry: opens trained networks and applies them to frames of any size.
#include "unet.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <cmath>

#include "network_library.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::ml {
namespace {

constexpr const char* format_name = "stembridge network 1";

torch::Tensor tensor_of(const Pixels& pixels) {
    return torch::from_blob(const_cast<float*>(pixels.data()), {1, 1, pixels.rows(), pixels.cols()},
                            torch::kFloat32)
        .clone();
}

Pixels pixels_of(const torch::Tensor& plane) {
    const torch::Tensor contiguous = plane.to(torch::kFloat32).contiguous();
    return Eigen::Map<const Pixels>(contiguous.data_ptr<float>(), contiguous.size(0), contiguous.size(1));
}

class TorchNetwork final : public SegmentationNetwork {
  public:
    TorchNetwork(const State& weights, int threads) : shape_(get_shape(weights)), threads_(threads) {
        pixel_size_ = weights.number("pixel_size_angstrom");
        const auto members = weights.integer("members");
        if (members < 1 || members > 1000 || !(pixel_size_ > 0))
            throw FileError("network weights: no members or no pixel size");
        for (std::int64_t m = 0; m < members; ++m) {
            UNet network(shape_);
            get_network(weights, "member" + std::to_string(m), *network);
            network->eval();
            network->to(torch::kCPU);
            for (auto& parameter : network->parameters()) parameter.set_requires_grad(false);
            members_.push_back(std::move(network));
        }
    }

    Segmentation segment(const Pixels& normalised) override {
        const ThreadGuard guard(threads_);
        const torch::NoGradGuard no_gradients;
        // The pooling needs sides that are multiples of 8; the frame is continued by its mirror image.
        const auto missing = [](Eigen::Index n) { return (8 - n % 8) % 8; };
        const Eigen::Index h = normalised.rows(), w = normalised.cols();
        if (h < 8 || w < 8)
            throw InputError(fmt::format("network: a frame of {} x {} pixels is smaller than 8 x 8", w, h));
        torch::Tensor x = torch::reflection_pad2d(tensor_of(normalised), {0, missing(w), 0, missing(h)});
        x = x.contiguous(torch::MemoryFormat::ChannelsLast);
        torch::Tensor sum, sum_of_squares;
        for (UNet& member : members_) {
            torch::Tensor p = torch::softmax(member->forward(x), 1)[0];
            p = p.slice(1, 0, h).slice(2, 0, w).contiguous();
            sum = sum.defined() ? sum + p : p;
            sum_of_squares = sum_of_squares.defined() ? sum_of_squares + p * p : p * p;
        }
        const double n = static_cast<double>(members_.size());
        const torch::Tensor mean = sum / n, spread = (sum_of_squares / n - mean * mean).clamp_min(0).sqrt();
        Segmentation result;
        result.atomic_numbers = {6, 14, 0};
        for (int c = 0; c < shape_.classes; ++c) {
            result.mean.push_back(pixels_of(mean[c]));
            result.spread.push_back(n > 1 ? pixels_of(spread[c]) : Pixels::Zero(h, w));
        }
        return result;
    }
    double pixel_size_angstrom() const override { return pixel_size_; }
    NetworkShape shape() const override { return shape_; }
    int members() const override { return static_cast<int>(members_.size()); }

  private:
    NetworkShape shape_;
    int threads_;
    double pixel_size_ = 0;
    std::vector<UNet> members_;
};

std::unique_ptr<SegmentationNetwork> open(const State& weights, const Context&, int threads) {
    try {
        return std::make_unique<TorchNetwork>(weights, threads);
    } catch (const c10::Error& error) {
        throw BackendError(std::string("LibTorch: ") + error.what_without_backtrace());
    }
}

State guarded_train(const TrainingOptions& options, const Context& context, const TrainingObserver& observer,
                    const State& resume) {
    try {
        return train(options, context, observer, resume);
    } catch (const c10::Error& error) {
        throw BackendError(std::string("LibTorch: ") + error.what_without_backtrace());
    }
}

/// Applies an action to every named parameter and to the running statistics of the batch norms.
template <class Action>
void for_each_array(UNetImpl& network, const Action& action) {
    for (auto& item : network.named_parameters()) action(item.key(), item.value());
    for (auto& item : network.named_buffers())
        if (item.value().is_floating_point()) action(item.key(), item.value());
}

}  // namespace

void put_network(State& state, const std::string& prefix, UNetImpl& network) {
    for_each_array(network, [&](const std::string& name, const torch::Tensor& value) {
        const torch::Tensor flat = value.detach().to(torch::kFloat32).contiguous().view({-1});
        state.put(prefix + "/" + name,
                  std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()));
    });
}

void get_network(const State& state, const std::string& prefix, UNetImpl& network) {
    const torch::NoGradGuard no_gradients;
    for_each_array(network, [&](const std::string& name, torch::Tensor& value) {
        const auto& values = state.get<std::vector<float>>(prefix + "/" + name);
        if (static_cast<std::int64_t>(values.size()) != value.numel())
            throw FileError(fmt::format("network weights: '{}/{}' has {} numbers, {} are expected", prefix,
                                        name, values.size(), value.numel()));
        for (const float number : values)
            if (!std::isfinite(number))
                throw FileError(
                    fmt::format("network weights: '{}/{}' holds a number that is not finite", prefix, name));
        value.copy_(torch::from_blob(const_cast<float*>(values.data()), value.sizes(), torch::kFloat32));
    });
}

void put_shape(State& state, const NetworkShape& shape, double pixel_size_angstrom, int members) {
    state.put("format", std::string(format_name));
    state.put("layers", std::vector<std::int64_t>(shape.layers.begin(), shape.layers.end()));
    state.put("filters", std::int64_t{shape.filters});
    state.put("classes", std::int64_t{shape.classes});
    state.put("pixel_size_angstrom", pixel_size_angstrom);
    state.put("members", std::int64_t{members});
}

NetworkShape get_shape(const State& state) {
    if (!state.has("format") || state.get<std::string>("format") != format_name)
        throw FileError(fmt::format("network weights: the entry 'format' should say '{}'", format_name));
    NetworkShape shape;
    const auto& layers = state.get<std::vector<std::int64_t>>("layers");
    const auto filters = state.integer("filters"), classes = state.integer("classes");
    if (layers.size() != shape.layers.size() || filters < 1 || filters > 256 || classes != 3)
        throw FileError("network weights: 'layers' should be 7 numbers, 'filters' 1 to 256, 'classes' 3");
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i] < 1 || layers[i] > 16)
            throw FileError("network weights: 'layers' should lie between 1 and 16");
        shape.layers[i] = static_cast<int>(layers[i]);
    }
    shape.filters = static_cast<int>(filters);
    shape.classes = static_cast<int>(classes);
    return shape;
}

ThreadGuard::ThreadGuard(int threads) : before_(omp_get_max_threads()) {
    at::set_num_threads(threads);
}

ThreadGuard::~ThreadGuard() {
    omp_set_num_threads(before_);
}

}  // namespace stembridge::ml

extern "C" __attribute__((visibility("default"))) const stembridge::ml::NetworkLibrary*
stembridge_network_library() {
    static const stembridge::ml::NetworkLibrary library{
        stembridge::ml::network_library_version, &stembridge::ml::open, &stembridge::ml::guarded_train};
    return &library;
}

// SPDX-License-Identifier: Apache-2.0
#include "weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "stembridge/base/errors.hpp"
#include "unet.hpp"

namespace stembridge::ml {
namespace {

constexpr const char* format_name = "stembridge network 1";
const std::vector<std::int64_t> atomic_numbers{6, 14, 0};

/// Applies an action to every named parameter and to the running statistics of the batch norms.
template <class Action>
void for_each_array(UNetImpl& network, const Action& action) {
    for (auto& item : network.named_parameters()) action(item.key(), item.value());
    for (auto& item : network.named_buffers())
        if (item.value().is_floating_point()) action(item.key(), item.value());
}

std::vector<float> numbers_of(const torch::Tensor& tensor) {
    const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous().view({-1});
    return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

void put_network(State& state, const std::string& prefix, UNetImpl& network) {
    for_each_array(network, [&](const std::string& name, const torch::Tensor& value) {
        state.put(prefix + "/" + name, numbers_of(value));
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
    state.put("atomic_numbers", atomic_numbers);
    state.put("pixel_size_angstrom", pixel_size_angstrom);
    state.put("members", std::int64_t{members});
}

NetworkShape get_shape(const State& state) {
    if (!state.has("format") || state.get<std::string>("format") != format_name)
        throw FileError(fmt::format("network weights: the entry 'format' should say '{}'", format_name));
    if (state.has("atomic_numbers") &&
        state.get<std::vector<std::int64_t>>("atomic_numbers") != atomic_numbers)
        throw FileError(
            fmt::format("network weights: they are of the classes {}, expected are {} (atomic numbers; 0 = "
                        "background)",
                        state.get<std::vector<std::int64_t>>("atomic_numbers"), atomic_numbers));
    NetworkShape shape;
    const auto& layers = state.get<std::vector<std::int64_t>>("layers");
    const auto filters = state.integer("filters"), classes = state.integer("classes");
    if (classes != 3)
        throw FileError(
            fmt::format("network weights: {} classes, expected are 3 (C, Si, background)", classes));
    if (layers.size() != shape.layers.size() || filters < 1 || filters > 256)
        throw FileError("network weights: 'layers' should be 7 numbers, 'filters' 1 to 256");
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i] < 1 || layers[i] > 16)
            throw FileError("network weights: 'layers' should lie between 1 and 16");
        shape.layers[i] = static_cast<int>(layers[i]);
    }
    shape.filters = static_cast<int>(filters);
    shape.classes = static_cast<int>(classes);
    return shape;
}

void put_tensors(State& state, const std::string& prefix, const std::vector<torch::Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
        state.put(prefix + "/" + std::to_string(i), numbers_of(tensors[i]));
}

void get_tensors(const State& state, const std::string& prefix, std::vector<torch::Tensor>& tensors) {
    const torch::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const auto& values = state.get<std::vector<float>>(prefix + "/" + std::to_string(i));
        if (static_cast<std::int64_t>(values.size()) != tensors[i].numel())
            throw FileError("training checkpoint: '" + prefix + "' belongs to another network");
        tensors[i].copy_(
            torch::from_blob(const_cast<float*>(values.data()), tensors[i].sizes(), torch::kFloat32));
    }
}

}  // namespace stembridge::ml

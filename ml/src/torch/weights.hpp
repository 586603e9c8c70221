// SPDX-License-Identifier: Apache-2.0
// How the weights of networks become a State, and come back.
#pragma once

#include <ATen/core/Tensor.h>

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

class UNetImpl;

/// Puts everything that is learned or counted under prefix.
void put_network(State& state, const std::string& prefix, UNetImpl& network);

/// Reads what put_network wrote. @throw FileError when an entry is missing, has another size or is not finite
void get_network(const State& state, const std::string& prefix, UNetImpl& network);

/// What belongs to every file of weights: format, shape, grid, classes and members.
void put_shape(State& state, const NetworkShape& shape, double pixel_size_angstrom, int members);

/// @throw FileError when it is no file of weights, or one of other classes than C, Si, background
NetworkShape get_shape(const State& state);

void put_tensors(State& state, const std::string& prefix, const std::vector<at::Tensor>& tensors);

/// @throw FileError when a size does not fit
void get_tensors(const State& state, const std::string& prefix, std::vector<at::Tensor>& tensors);

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// From the [calculator] table of a configuration to a Calculator.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "stembridge/io/config.hpp"
#include "stembridge/structure/calculator.hpp"

namespace stembridge {

/// The keys of [calculator].
io::Schema calculator_keys();
/// run.threads, which every calculator looks at too.
io::Key threads_key();

/// The calculator that the [calculator] table describes, with the defaults that fit this structure.
/// @param config with calculator_keys() and threads_key()
/// @param cycles_per_step as in tb::SccOptions, for dynamics
std::unique_ptr<Calculator> make_calculator(const io::Config& config, const Structure& structure,
                                            int cycles_per_step = 0);
/// Folders of .skf files that the configuration names ("builtin" resolved).
/// @throw FileError when the built-in set is not where it should be
std::vector<std::filesystem::path> parameter_folders(const io::Config& config);

/// Shipped data: $STEMBRIDGE_DATA, or share/stembridge/data beside the program (base/program_path.hpp).
/// @throw FileError when there is none
std::filesystem::path data_folder();

}  // namespace stembridge

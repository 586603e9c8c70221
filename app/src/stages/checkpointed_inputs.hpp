// SPDX-License-Identifier: Apache-2.0
// What decides the result of a stage that leaves checkpoints, and what decides the way there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stembridge/io/config.hpp"

namespace stembridge::app {

/// Hashes for StageFolder, "result/way". How often checkpoints are written, after how many steps a relaxation
/// gives up and how many workers share the work decide neither; the force at which it ends, how many steps
/// of dynamics are done, and what is computed from a Hessian, decide nothing on the way.
/// @param stage its name is that of its table  @param contents of files that are not written yet, which count
/// like files after the others
std::string checkpointed_inputs(const io::Config& config, const std::string& stage,
                                const std::vector<std::filesystem::path>& files,
                                const std::vector<std::string>& contents = {});

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
// Simulated frames as a configuration: [image], [aberration], [scene].
#pragma once

#include "stembridge/io/config.hpp"
#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::app {

/// @throw InputError for detector angles whose signal is not known
ml::SimulationOptions simulation_options(const io::Config& config);

/// Defects of a random sheet; its size is left to the caller.
ml::SceneOptions scene_options(const io::Config& config);

}  // namespace stembridge::app

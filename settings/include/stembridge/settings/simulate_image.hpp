// SPDX-License-Identifier: Apache-2.0
// Simulated frames as a configuration: [image], [aberration], [scene].
#pragma once

#include <vector>

#include "stembridge/io/config.hpp"
#include "stembridge/ml/simulate_image.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::settings {

/// The keys of [image] and [aberration], with run.seed.
io::Schema image_keys();
/// The keys of [scene].
io::Schema scene_keys();

/// @throw InputError for detector angles whose signal is not known
ml::SimulationOptions simulation_options(const io::Config& config);

/// Defects of a random sheet; its size is left to the caller.
ml::SceneOptions scene_options(const io::Config& config);

/// The structure seen along z. The frame is centred on it; where its size is left out, it reaches 3 angstrom
/// beyond the atoms. @param scan gets size and origin  @throw InputError for a structure without atoms
std::vector<ml::SceneAtom> scene_of(const Structure& structure, const io::Config& config,
                                    ml::ScanOptions& scan);

}  // namespace stembridge::settings

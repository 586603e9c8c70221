// SPDX-License-Identifier: Apache-2.0
// Files of functions in space: cube files of densities and orbitals, tunnelling pictures.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "session.hpp"
#include "stembridge/io/config.hpp"
#include "stembridge/tb/electronic_state.hpp"

namespace stembridge::app {

/// Writes the cube files that properties.cube names. @return an entry per file
/// @throw InputError for an unknown name, a level that does not exist, or missing radial orbitals, saying how
/// to make them
nlohmann::json write_cubes(const io::Config& config, const tb::ElectronicState& state,
                           const std::filesystem::path& folder, Session& session);

/// Writes stm_constant_height and stm_constant_current as .png and .npy. @return what they are
/// @throw InputError as write_cubes(), and for a bias without levels
nlohmann::json write_tunnelling(const io::Config& config, const tb::ElectronicState& state,
                                const std::filesystem::path& folder, Session& session);

}  // namespace stembridge::app

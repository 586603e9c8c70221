// SPDX-License-Identifier: Apache-2.0
// A whole training: the networks of a configuration one after another, and its report.
#pragma once

#include <filesystem>
#include <string>

#include "session.hpp"

namespace stembridge::app {

/// Trains what the configuration says into a folder: networks/member-N.h5, curves/NAME.csv,
/// report/index.html. Networks that are done are kept, the one that was interrupted goes on from its
/// checkpoint.
/// @throw InputError, FileError, StoppedError
void train_networks(const std::string& config_file, const std::filesystem::path& out, Session& session);

}  // namespace stembridge::app

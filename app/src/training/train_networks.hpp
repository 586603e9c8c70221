// SPDX-License-Identifier: Apache-2.0
// A whole training: the networks of a configuration one after another, and its report.
#pragma once

#include <filesystem>

#include "session.hpp"
#include "stembridge/io/config.hpp"

namespace stembridge::app {

/// Trains what a configuration (training_schema()) says into a folder: networks/member-N.h5, curves/NAME.csv,
/// report/index.html. Networks that are done are kept, the one that was interrupted goes on from its
/// checkpoint.
/// @throw InputError, FileError, StoppedError
void train_networks(const io::Config& config, const std::filesystem::path& out, Session& session);

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
// Where the Slater-Koster tables of a run come from, for its provenance.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stembridge/io/config.hpp"

namespace stembridge::app {

/// Folders of the tables that energies come from. None where another program gives them, or where there is no
/// such folder: the stage that needs it says so.
std::vector<std::filesystem::path> parameter_sets(const io::Config& config);

/// What is to be cited for tables: the publications that their documentation names, else its note; each text
/// once.
std::vector<std::string> citations_of(const std::vector<std::filesystem::path>& tables);

}  // namespace stembridge::app

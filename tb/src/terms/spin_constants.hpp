// SPDX-License-Identifier: Apache-2.0
// Spin constants that come with a set of Slater-Koster files.
#pragma once

#include <Eigen/Dense>
#include <filesystem>
#include <map>
#include <vector>

namespace stembridge::tb {

/// Content of the first `spinw.txt` in the folders: "H:" and then the rows of a square matrix, hartree, by
/// atomic number; empty when no folder has one. @throw FileError for a malformed file
std::map<int, Eigen::MatrixXd> read_spin_constants(const std::vector<std::filesystem::path>& folders);

}  // namespace stembridge::tb

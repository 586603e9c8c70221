// SPDX-License-Identifier: Apache-2.0
// What a repulsive fit reached: tables, pictures and a page.
#pragma once

#include <filesystem>
#include <string>

#include "stembridge/dft/make_parameters.hpp"

namespace stembridge::app {

/// Writes errors.csv (every structure, fitted and kept out), errors.md (by group) and, below report/, a page
/// with each potential and the histograms of the errors, its figures as .svg beside it.
/// @param set with a fit  @throw FileError
void write_parameters_report(const std::filesystem::path& folder, const std::string& name,
                             const dft::ParameterSet& set);

}  // namespace stembridge::app

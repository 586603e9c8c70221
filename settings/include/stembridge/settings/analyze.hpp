// SPDX-License-Identifier: Apache-2.0
// What analyze() finds, to be written or handed on.
#pragma once

#include <string>

#include "stembridge/structure/analysis.hpp"

namespace stembridge::settings {

/// Rings, defects, bonds, angles and coordination as JSON, in angstrom and degrees.
/// @param first number of the first atom: 1, as on the command line, or 0
std::string to_json(const StructureAnalysis& analysis, int first = 1);

}  // namespace stembridge::settings

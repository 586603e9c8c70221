// SPDX-License-Identifier: Apache-2.0
// The configuration of make-parameters.
#pragma once

#include <filesystem>
#include <string>

#include "stembridge/dft/make_parameters.hpp"

namespace stembridge::app {

/// Reads the configuration of a Slater-Koster set. @throw InputError, FileError naming the place
dft::ParameterOptions read_parameter_options(const std::filesystem::path& file);

/// "C-H". @param where stands in the message  @throw InputError
dft::ElementPair parse_element_pair(const std::string& name, const std::string& where);

}  // namespace stembridge::app

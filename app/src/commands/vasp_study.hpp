// SPDX-License-Identifier: Apache-2.0
// stembridge vasp study, declared by `vasp`.
#pragma once

#include "commands/commands.hpp"

namespace stembridge::app {

void add_vasp_study(CLI::App& vasp, Action& action);

}  // namespace stembridge::app

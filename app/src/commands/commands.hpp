// SPDX-License-Identifier: Apache-2.0
// The subcommands. Each add_...() declares one with its options; parsing the command line picks what will
// run.
#pragma once

#include <functional>

#include "session.hpp"

namespace CLI {
class App;
}

namespace stembridge::app {

/// What the command line asked for.
using Action = std::function<void(Session&)>;

void add_run(CLI::App& program, Action& action);
void add_find_atoms(CLI::App& program, Action& action);
void add_build(CLI::App& program, Action& action);
void add_adsorb(CLI::App& program, Action& action);
void add_energy(CLI::App& program, Action& action);
void add_properties(CLI::App& program, Action& action);
void add_relax(CLI::App& program, Action& action);
void add_md(CLI::App& program, Action& action);
void add_vibrations(CLI::App& program, Action& action);
void add_neb(CLI::App& program, Action& action);
void add_analyze(CLI::App& program, Action& action);
void add_simulate_image(CLI::App& program, Action& action);
void add_train(CLI::App& program, Action& action);
void add_serve(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);
void add_config(CLI::App& program, Action& action);
void add_make_parameters(CLI::App& program, Action& action);
void add_vasp(CLI::App& program, Action& action);
void add_doctor(CLI::App& program, Action& action);
void add_completion(CLI::App& program, Action& action);

}  // namespace stembridge::app

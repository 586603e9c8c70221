// SPDX-License-Identifier: Apache-2.0
// stembridge make-parameters in a build without libxc.
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::app {

void add_make_parameters(CLI::App& program, Action& action) {
    CLI::App* command = program.add_subcommand("make-parameters", "Slater-Koster tables (needs libxc)");
    command->allow_extras();
    command->callback([&action] {
        action = [](Session&) {
            throw BackendError(
                "make-parameters: this build has no libxc; configure with -D STEMBRIDGE_LIBXC=ON");
        };
    });
}

}  // namespace stembridge::app

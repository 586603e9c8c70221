// SPDX-License-Identifier: Apache-2.0
// stembridge make-parameters in a build without libxc.
#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "commands/commands.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::app {

void add_make_parameters(CLI::App& program, Action& action) {
    CLI::App* command = program.add_subcommand("make-parameters", "Slater-Koster tables (needs libxc)");
    // Whatever follows is taken, so that the answer is about what is missing.
    auto words = std::make_shared<std::vector<std::string>>();
    command->add_option("words", *words)->group("");
    command->add_option("--out,--only,--threads", *words)->group("");
    command->callback([words, &action] {
        action = [](Session&) {
            throw BackendError(
                "make-parameters: this build has no libxc; configure with -D STEMBRIDGE_LIBXC=ON");
        };
    });
}

}  // namespace stembridge::app

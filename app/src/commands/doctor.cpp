// SPDX-License-Identifier: Apache-2.0
// stembridge doctor: what this installation is made of and whether its parts are found.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/ml/network.hpp"

namespace stembridge::app {

void add_doctor(CLI::App& program, Action& action) {
    CLI::App* command = program.add_subcommand("doctor", "Versions, BLAS kernel, threads, data found");
    command->callback([&action] {
        action = [](Session&) {
            const auto line = [](const std::string& what, const std::string& value) {
                std::fputs(fmt::format("{:<22} {}\n", what, value).c_str(), stdout);
            };
            set_threads(0);
            line("stembridge", fmt::format("{} ({})", version(), git_commit()));
            line("BLAS kernel", blas_kernel());
            line("threads", std::to_string(threads_in_use()));
            const char* policy = std::getenv("OMP_WAIT_POLICY");
            line("OpenMP wait policy", policy ? policy : "default (active): slow on a busy machine");
            line("networks (LibTorch)",
                 ml::networks_available() ? "found" : "not in this build (STEMBRIDGE_LIBTORCH=ON)");
            try {
                const auto data = data_folder();
                line("data", data.string());
                for (const char* part :
                     {"networks/graphene.h5", "frames/example.png", "parameters/stembridge-1/C-C.skf"})
                    line(fmt::format("  {}", part),
                         std::filesystem::exists(data / part) ? "found" : "missing");
            } catch (const FileError& e) {
                line("data", e.what());
            }
        };
    });
}

}  // namespace stembridge::app

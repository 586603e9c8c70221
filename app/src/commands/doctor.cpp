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
            line("BLAS kernel",
                 blas_kernel_is_slow()
                     ? blas_kernel() +
                           ": slow on this processor; unset OPENBLAS_CORETYPE, or set it to SkylakeX"
                     : blas_kernel());
            const int threads = threads_in_use();
            const double one = matrix_product_speed(1),
                         all = threads > 1 ? matrix_product_speed(threads) : one;
            line("threads", std::to_string(threads));
            line("matrix products",
                 fmt::format("{:.0f} GFLOP/s on 1 thread, {:.0f} on {}", one / 1e9, all / 1e9, threads));
            if (all < 0.7 * threads * one)
                line("", "threads bring less than they should: are the processors shared?");
            if (const double busy = busy_processors(); busy > 0.5 * threads)
                line("busy",
                     fmt::format("{:.1f} processors over the last minute: other programs slow this one "
                                 "down; --threads leaves them room",
                                 busy));
            const char* policy = std::getenv("OMP_WAIT_POLICY");
            line("OpenMP wait policy", policy ? policy : "default (active): slow on a busy machine");
            line("networks (LibTorch)",
                 ml::networks_available() ? "found" : "not in this build (STEMBRIDGE_LIBTORCH=ON)");
            try {
                const auto data = data_folder();
                line("data", data.string());
                for (const char* part :
                     {"networks/graphene/member-1.h5", "frames/example.png", "parameters/stembridge-1/C-C.skf"})
                    line(fmt::format("  {}", part),
                         std::filesystem::exists(data / part) ? "found" : "missing");
            } catch (const FileError& e) {
                line("data", e.what());
            }
        };
    });
}

}  // namespace stembridge::app

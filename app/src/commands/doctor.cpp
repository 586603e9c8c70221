// SPDX-License-Identifier: Apache-2.0
// stembridge doctor: what this installation is made of and whether its parts are found.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "commands/commands.hpp"
#include "configuration.hpp"
#include "environment.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/ml/network.hpp"
#include "stembridge/tb/devices.hpp"
#include "stembridge/tb/helpers.hpp"

namespace stembridge::app {
namespace {

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

std::string gibibytes(std::size_t bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30));
}

std::string gpus_in_a_word() {
    try {
        const std::vector<tb::Gpu> gpus = tb::list_gpus();
        std::string names;
        for (const tb::Gpu& gpu : gpus) names += (names.empty() ? "" : ", ") + gpu.name;
        return names + " (doctor --gpu tests them)";
    } catch (const BackendError& e) {
        return e.what();
    }
}

/// Describes every GPU and compares what it computes with the processor.
void test_gpus() {
    const std::vector<tb::Gpu> gpus = tb::list_gpus();
    int failed = 0, compared = 0;
    for (const tb::Gpu& gpu : gpus) {
        print(fmt::format(
            "GPU {}: {}, compute capability {}.{}, {} multiprocessors, {} ({} free), driver {}, "
            "runtime {}\n",
            gpu.index, gpu.name, gpu.capability_major, gpu.capability_minor, gpu.n_multiprocessors,
            gibibytes(gpu.memory), gibibytes(gpu.free_memory), gpu.driver, gpu.runtime));
        print(fmt::format("  {:<58} {:>10} {:>8} {:>9} {:>9}\n", "", "difference", "allowed", "GPU s",
                          "host s"));
        tb::test_gpu(gpu.index, [&](const tb::DeviceCheck& check) {
            ++compared;
            failed += check.passed() ? 0 : 1;
            print(fmt::format("  {:<58} {:>10.1e} {:>8.0e} {:>9.4f} {:>9.4f}  {}\n", check.what,
                              check.difference, check.allowed, check.seconds, check.host_seconds,
                              check.passed() ? "ok" : "FAILED " + check.error));
        });
    }
    if (failed > 0)
        throw BackendError(fmt::format("{} of {} comparisons with the processor failed", failed, compared));
}

}  // namespace

void add_doctor(CLI::App& program, Action& action) {
    CLI::App* command = program.add_subcommand("doctor", "Versions, BLAS kernel, threads, data found, GPUs");
    const auto gpu = std::make_shared<bool>(false);
    command->add_flag("--gpu", *gpu,
                      "List the GPUs and compare each operation and solver on them with the processor");
    command->callback([&action, gpu] {
        if (*gpu) {
            action = [](Session&) { test_gpus(); };
            return;
        }
        action = [](Session&) {
            const auto line = [](const std::string& what, const std::string& value) {
                std::fputs(fmt::format("{:<22} {}\n", what, value).c_str(), stdout);
            };
            set_threads(0);
            line("stembridge", fmt::format("{} ({})", version(), git_commit()));
            line("BLAS kernel", blas_kernel_in_words());
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
            const std::string why_not = ml::why_no_networks();
            line("networks (LibTorch)",
                 why_not.empty() ? ml::network_library_path().string() : "not found: " + why_not);
            line("GPUs", gpus_in_a_word());
            const std::string no_elpa = tb::why_no_elpa();
            line("processes (ELPA)", no_elpa.empty() ? "mpirun -n N stembridge ... --solver elpa" : no_elpa);
            try {
                const auto data = data_folder();
                line("data", data.string());
                for (const char* part : {"networks/graphene/member-1.h5", "frames/example.png",
                                         "parameters/stembridge-1/C-C.skf"})
                    line(fmt::format("  {}", part),
                         std::filesystem::exists(data / part) ? "found" : "missing");
            } catch (const FileError& e) {
                line("data", e.what());
            }
        };
    });
}

}  // namespace stembridge::app

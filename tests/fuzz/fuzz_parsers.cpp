// SPDX-License-Identifier: Apache-2.0
// Feeds damaged files to every parser. A parser may return or throw a stembridge::Error; anything else -
// another exception, a crash, a sanitizer's report, more than 10 s, more than 1 GiB at once - is a failure,
// and the input is kept. The parsers run in a child process; the parent watches it and knows the input from
// shared memory.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "fuzz/mutate.hpp"
#include "fuzz/seeds.hpp"
#include "stembridge/base/errors.hpp"

/// Read by the address sanitizer when the program starts.
extern "C" const char* __asan_default_options() {
    return "max_allocation_size_mb=1024:detect_leaks=0:hard_rss_limit_mb=4096";
}

namespace {

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_input = 128 * 1024;
constexpr auto patience = std::chrono::seconds(10);

/// What parent and child share.
struct Shared {
    std::atomic<std::uint64_t> executions;
    std::atomic<std::size_t> parser;
    std::atomic<std::size_t> size;
    char input[largest_input];
};

struct Options {
    double seconds = 60;
    std::uint64_t seed = 1;
    std::string only, keep = "fuzz-findings", replay;
};

void write(const fs::path& path, const char* data, std::size_t size) {
    std::ofstream(path, std::ios::binary).write(data, static_cast<std::streamsize>(size));
}

/// One input through one parser. @throw whatever is not allowed
void execute(const FuzzedParser& parser, const fs::path& file) {
    try {
        parser.read(file);
    } catch (const Error&) {
        // what a parser should say
    }
}

[[noreturn]] void child(const std::vector<FuzzedParser>& parsers, const fs::path& folder, std::uint64_t seed,
                        Shared& shared) {
    std::mt19937_64 random(seed);
    for (std::size_t turn = 0;; ++turn) {
        const FuzzedParser& parser = parsers[turn % parsers.size()];
        const std::string input = mutate(parser.seeds, random).substr(0, largest_input);
        std::memcpy(shared.input, input.data(), input.size());
        shared.parser = turn % parsers.size();
        shared.size = input.size();
        write(folder / parser.file_name, input.data(), input.size());
        try {
            execute(parser, folder / parser.file_name);
        } catch (const std::exception& e) {
            std::fputs(fmt::format("{}: {}\n", parser.name, e.what()).c_str(), stderr);
            std::_Exit(1);
        }
        ++shared.executions;
    }
}

/// Runs a child until it fails or the time is over. @return whether it failed
bool watch(const std::vector<FuzzedParser>& parsers, const fs::path& folder, std::uint64_t seed,
           Shared& shared, Clock::time_point end) {
    const pid_t process = ::fork();
    if (process == 0) child(parsers, folder, seed, shared);
    if (process < 0) throw BackendError("cannot start a process");
    std::uint64_t seen = shared.executions;
    auto since = Clock::now();
    while (true) {
        int status = 0;
        if (::waitpid(process, &status, WNOHANG) == process) return true;
        const auto now = Clock::now();
        if (shared.executions != seen) {
            seen = shared.executions;
            since = now;
        }
        const bool stuck = now - since > patience;
        if (stuck || now > end) {
            ::kill(process, SIGKILL);
            ::waitpid(process, &status, 0);
            if (stuck) std::fputs("no answer within 10 s\n", stderr);
            return stuck;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

int replay(const std::vector<FuzzedParser>& parsers, const fs::path& folder, const fs::path& input) {
    std::ifstream file(input, std::ios::binary);
    if (!file) throw FileError(fmt::format("cannot read '{}'", input.string()));
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (const FuzzedParser& parser : parsers) {
        write(folder / parser.file_name, text.data(), text.size());
        execute(parser, folder / parser.file_name);
    }
    std::puts("nothing found");
    return 0;
}

int run(const Options& o, const fs::path& folder) {
    std::vector<FuzzedParser> parsers = fuzzed_parsers(folder);
    std::erase_if(parsers, [&](const FuzzedParser& p) { return !o.only.empty() && p.name != o.only; });
    if (parsers.empty()) throw InputError(fmt::format("--only: there is no parser '{}'", o.only));
    if (!o.replay.empty()) return replay(parsers, folder, o.replay);
    // A seed that is no valid input would test little.
    for (const FuzzedParser& parser : parsers)
        for (const std::string& seed : parser.seeds) {
            write(folder / parser.file_name, seed.data(), seed.size());
            execute(parser, folder / parser.file_name);
        }
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw BackendError("cannot share memory");
    Shared& shared = *new (memory) Shared{};
    const auto end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(o.seconds));
    int failures = 0;
    for (std::uint64_t seed = o.seed; Clock::now() < end; ++seed) {
        if (!watch(parsers, folder, seed, shared, end)) continue;
        ++failures;
        const std::string& name = parsers[shared.parser].name;
        fs::create_directories(o.keep);
        const fs::path kept = fs::path(o.keep) / fmt::format("{}-{}", name, failures);
        write(kept, shared.input, shared.size);
        std::puts(
            fmt::format("FAILED: {}: fuzz_parsers --only {} --replay {}", name, name, kept.string()).c_str());
        std::fflush(stdout);
    }
    std::puts(fmt::format("{} inputs, {} failures", shared.executions.load(), failures).c_str());
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App program("Damaged files for every parser", "fuzz_parsers");
    Options options;
    program.add_option("--seconds", options.seconds, "How long")->capture_default_str();
    program.add_option("--seed", options.seed, "Of the random numbers")->capture_default_str();
    program.add_option("--only", options.only, "One parser, by name");
    program.add_option("--keep", options.keep, "Folder for the inputs that failed")->capture_default_str();
    program.add_option("--replay", options.replay, "Run one kept input");
    CLI11_PARSE(program, argc, argv);
    char name[] = "/tmp/stembridge-fuzz-XXXXXX";
    if (::mkdtemp(name) == nullptr) return 1;
    int status = 1;
    try {
        status = run(options, name);
    } catch (const std::exception& e) {
        std::fputs(fmt::format("fuzz_parsers: {}\n", e.what()).c_str(), stderr);
    }
    fs::remove_all(name);
    return status;
}

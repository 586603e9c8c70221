// SPDX-License-Identifier: Apache-2.0
#include "run_program.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include <stdexcept>
#include <thread>

namespace stembridge::testing {

// The output goes to a file, not a pipe: a pipe that nobody reads would block the program.
RunningProgram::RunningProgram(const std::vector<std::string>& arguments, std::size_t largest_file,
                               const std::string& path) {
    char name[] = "/tmp/stembridge-output-XXXXXX";
    output_ = ::mkstemp(name);
    if (output_ < 0) throw std::runtime_error("cannot make a temporary file");
    ::unlink(name);
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error("cannot start a process");
    if (process_ == 0) {
        std::vector<char*> argv = {const_cast<char*>(path.c_str())};
        for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        if (largest_file > 0) {
            const rlimit limit = {largest_file, largest_file};
            ::setrlimit(RLIMIT_FSIZE, &limit);
        }
        ::dup2(output_, STDOUT_FILENO);
        ::dup2(output_, STDERR_FILENO);
        ::execv(path.c_str(), argv.data());
        ::_exit(127);
    }
}

RunningProgram::~RunningProgram() {
    if (!finished_ && process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
    ::close(output_);
}

void RunningProgram::send(int signal) {
    ::kill(process_, signal);
}

bool RunningProgram::is_running() {
    if (finished_) return false;
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) != process_) return true;
    finished_ = true;
    outcome_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return false;
}

Outcome RunningProgram::wait() {
    if (!finished_) {
        int status = 0;
        ::waitpid(process_, &status, 0);
        finished_ = true;
        outcome_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    outcome_.output.clear();
    ::lseek(output_, 0, SEEK_SET);
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(output_, buffer, sizeof buffer)) > 0;)
        outcome_.output.append(buffer, static_cast<std::size_t>(n));
    return outcome_;
}

Outcome run_program(const std::vector<std::string>& arguments, std::size_t largest_file) {
    return RunningProgram(arguments, largest_file).wait();
}

std::string mpiexec() {
    return STEMBRIDGE_MPIEXEC;
}

Outcome run_shared(int processes, const std::vector<std::string>& arguments) {
    // Open MPI refuses to start as root, and more processes than processors, unless told that it may.
    for (const char* name :
         {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"})
        ::setenv(name, "1", 1);
    std::vector<std::string> all = {"-n", std::to_string(processes), program().string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return RunningProgram(all, 0, mpiexec()).wait();
}

Outcome interrupt(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                  const std::function<bool()>& ready, int signal) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        RunningProgram program(arguments);
        while (program.is_running() && !ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        program.send(signal);
        const Outcome outcome = program.wait();
        if (outcome.status != 0) return outcome;
        std::filesystem::remove_all(folder);
    }
    throw std::runtime_error("the program ended before every signal: its run is too short for this test");
}

void kill_when_grown(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                     const std::filesystem::path& file, std::size_t bytes) {
    std::error_code none;
    const auto has_grown = [&] {
        return std::filesystem::exists(folder / file) &&
               std::filesystem::file_size(folder / file, none) > bytes;
    };
    interrupt(arguments, folder, has_grown, SIGKILL);
}

}  // namespace stembridge::testing

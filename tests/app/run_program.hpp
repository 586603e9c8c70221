// SPDX-License-Identifier: Apache-2.0
// Starts the program and keeps what it printed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/support.hpp"

namespace stembridge::testing {

/// How a run of the program ended.
struct Outcome {
    int status = 0;      ///< exit status; 128 + signal when killed
    std::string output;  ///< stdout and stderr together
};

/// Runs `stembridge ARGUMENTS` to the end.
/// @param largest_file bytes that a file may have before writing fails, as on a full disk; 0 = no limit
Outcome run_program(const std::vector<std::string>& arguments, std::size_t largest_file = 0);

/// Runs `mpiexec -n PROCESSES stembridge ARGUMENTS` to the end.
Outcome run_shared(int processes, const std::vector<std::string>& arguments);
/// Where mpiexec is; empty in a build without MPI.
std::string mpiexec();

/// A run that can be interrupted.
class RunningProgram {
  public:
    explicit RunningProgram(const std::vector<std::string>& arguments, std::size_t largest_file = 0,
                            const std::string& path = program().string());
    ~RunningProgram();
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;
    void send(int signal);
    bool is_running();
    Outcome wait();

  private:
    pid_t process_ = -1;
    int output_ = -1;
    bool finished_ = false;
    Outcome outcome_;
};

/// Starts the program and sends it a signal once `ready` says so.
/// On a busy machine a short run may reach its end before the signal does: then its folder is emptied and it
/// is run once more, ten times at most.
/// @return how the interrupted run ended; throws std::runtime_error when none could be interrupted
Outcome interrupt(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                  const std::function<bool()>& ready, int signal);

/// interrupt() by SIGKILL, once a file that the program writes in the folder is larger than `bytes`.
void kill_when_grown(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                     const std::filesystem::path& file, std::size_t bytes);

}  // namespace stembridge::testing

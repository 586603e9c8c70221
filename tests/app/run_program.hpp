// SPDX-License-Identifier: Apache-2.0
// Starts the program and keeps what it printed.
#pragma once

#include <sys/types.h>

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

/// A run that can be interrupted.
class RunningProgram {
  public:
    explicit RunningProgram(const std::vector<std::string>& arguments, std::size_t largest_file = 0);
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

}  // namespace stembridge::testing

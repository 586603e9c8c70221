// SPDX-License-Identifier: Apache-2.0
// The processes that share one run: mpirun -n 4 stembridge run sweep.toml.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace stembridge {

/// Those that were started together, or as if this one were by itself.
enum class Processes { all, this_one };

/// The processes that were started together. One that was started by itself, or by a program without MPI, is
/// rank 0 of 1. Used by one thread at a time.
class Ranks {
  public:
    /// @throw UnsupportedError when several were started but the program is built without MPI
    explicit Ranks(Processes which = Processes::all);
    ~Ranks();
    Ranks(const Ranks&) = delete;
    Ranks& operator=(const Ranks&) = delete;

    int rank() const;
    int size() const;
    bool is_first() const { return rank() == 0; }
    /// The tasks that fall to this process, of tasks 0 to n-1: those with task % size() == rank().
    std::vector<std::size_t> share_of(std::size_t n_tasks) const;

    /// Does the work of this process, then waits until every other one has done its own. All must call it.
    /// @throw the error of this process; when only others failed, BackendError with the message of the first
    /// of them, or StoppedError when that one was stopped on request
    void together(const std::function<void()>& work) const;
    /// The same, with work for the first process alone: the others wait for it.
    void first_alone(const std::function<void()>& work) const;

  private:
    struct Communicator;  // of MPI, or of nobody: one file each, chosen by CMake
    std::unique_ptr<Communicator> communicator_;
};

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// What the processes that share a diagonalisation tell each other. All calls are made by all of them.
#pragma once

#include <vector>

namespace stembridge::tb {

/// What the first process asks the others to do with one of its solvers.
enum class Task : int { create, drop, set_overlap, diagonalise, weigh_states, collect_states, leave };

/// A task and what it is about; what a task does not need stays 0.
struct Order {
    Task task = Task::leave;
    int solver = 0;
    int spin = 0, kpoint = 0, first = 0, count = 0;
};

int process_rank();
int n_processes();
/// From the first process to all; others wait for it without using a processor.
Order broadcast(const Order& order);
/// From the first process to all. @param values their number must be known to all
void broadcast(std::vector<double>& values);
void broadcast(std::vector<int>& values);
/// Sums over the processes, at the first one; elsewhere the values are of no use afterwards.
void add_up(double* values, std::size_t n);
/// The number furthest from zero that a process gives, on all: codes of errors.
int worst(int code);
/// Ends all processes. @param message to the terminal
[[noreturn]] void give_up(const char* message);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/elpa/processes.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace stembridge::tb {
namespace {

// Counts of MPI are int.
constexpr std::size_t at_once = std::size_t{1} << 28;

template <typename Call>
void in_parts(std::size_t n, const Call& call) {
    for (std::size_t first = 0; first < n; first += at_once)
        call(first, static_cast<int>(std::min(at_once, n - first)));
}

}  // namespace

int process_rank() {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int n_processes() {
    int size = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

Order broadcast(const Order& order) {
    Order result = order;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibcast(&result, sizeof result, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    // Most of the time of a helper: the library would wait by spinning.
    for (int done = 0; done == 0;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return result;
}

void broadcast(std::vector<double>& values) {
    in_parts(values.size(), [&](std::size_t first, int n) {
        MPI_Bcast(values.data() + first, n, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    });
}

void broadcast(std::vector<int>& values) {
    in_parts(values.size(), [&](std::size_t first, int n) {
        MPI_Bcast(values.data() + first, n, MPI_INT, 0, MPI_COMM_WORLD);
    });
}

void add_up(double* values, std::size_t n) {
    const bool first_process = process_rank() == 0;
    in_parts(n, [&](std::size_t first, int count) {
        MPI_Reduce(first_process ? MPI_IN_PLACE : values + first, first_process ? values + first : nullptr,
                   count, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    });
}

int worst(int code) {
    int lowest = code, highest = code;
    MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &highest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return std::abs(lowest) > std::abs(highest) ? lowest : highest;
}

void give_up(const char* message) {
    std::fprintf(stderr, "stembridge: error in process %d of %d: %s\n", process_rank(), n_processes(),
                 message);
    MPI_Abort(MPI_COMM_WORLD, 5);
    std::abort();
}

}  // namespace stembridge::tb

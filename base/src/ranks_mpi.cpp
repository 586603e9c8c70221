// SPDX-License-Identifier: Apache-2.0
// With MPI: the processes that mpirun has started.
#include <mpi.h>

#include <chrono>
#include <thread>

#include "ranks_communicator.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {
namespace {

// Library calls wait by spinning, which would take a processor from the processes that still work.
void wait_for(MPI_Request request) {
    for (int done = 0; done == 0;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

/// Begins with the first that needs it and ends with the program: it cannot be started twice.
struct Library {
    Library() {
        int level = 0;
        if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS ||
            level < MPI_THREAD_SERIALIZED)
            throw BackendError("MPI did not start, or cannot be used in a program with threads");
    }
    ~Library() { MPI_Finalize(); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
};

}  // namespace

Ranks::Communicator::Communicator() {
    static const Library library;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
}

Ranks::Communicator::~Communicator() = default;

int Ranks::Communicator::smallest(int number) const {
    int result = number;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(&number, &result, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
    wait_for(request);
    return result;
}

std::string Ranks::Communicator::text_of(int rank_of_text, const std::string& text) const {
    int length = static_cast<int>(text.size());
    MPI_Bcast(&length, 1, MPI_INT, rank_of_text, MPI_COMM_WORLD);
    std::string result = text;
    result.resize(static_cast<std::size_t>(length));
    MPI_Bcast(result.data(), length, MPI_CHAR, rank_of_text, MPI_COMM_WORLD);
    return result;
}

}  // namespace stembridge

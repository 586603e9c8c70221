// SPDX-License-Identifier: Apache-2.0
// Without MPI: a process by itself.
#include <cstdlib>

#include "ranks_communicator.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {

Ranks::Communicator::Communicator() {
    // What mpirun and mpiexec (Open MPI, MPICH and its kin) tell the processes that they start.
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
        if (const char* n = std::getenv(name); n != nullptr && std::atoi(n) > 1)
            throw UnsupportedError(
                std::string(n) +
                " processes were started, but this program is built without MPI and they would "
                "all do the same: build with -D STEMBRIDGE_MPI=ON, or start one");
}

Ranks::Communicator::~Communicator() = default;

int Ranks::Communicator::smallest(int number) const {
    return number;
}

std::string Ranks::Communicator::text_of(int /*rank*/, const std::string& text) const {
    return text;
}

}  // namespace stembridge

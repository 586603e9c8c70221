// SPDX-License-Identifier: Apache-2.0
// What the processes of a run tell each other.
#pragma once

#include <string>

#include "stembridge/base/ranks.hpp"

namespace stembridge {

struct Ranks::Communicator {
    Communicator();
    ~Communicator();
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;

    int rank = 0;
    int size = 1;
    /// The smallest of the numbers that the processes give; waits for all of them without using a processor.
    int smallest(int number) const;
    /// The text of one process, on all of them.
    std::string text_of(int rank, const std::string& text) const;
};

}  // namespace stembridge

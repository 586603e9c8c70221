// SPDX-License-Identifier: Apache-2.0
// Without ELPA: a process by itself.
#include "density/elpa/elpa.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/helpers.hpp"

namespace stembridge::tb {

std::unique_ptr<DensitySolver> make_elpa_solver() {
    throw UnsupportedError(
        "solver \"elpa\" is not part of this program: build with -D STEMBRIDGE_MPI=ON -D STEMBRIDGE_ELPA=ON; "
        "\"dense\" gives the same with one process");
}

Helpers::Helpers(const Ranks& ranks) : ranks_(ranks) {}
Helpers::~Helpers() = default;

bool Helpers::were_called() const {
    return false;
}

}  // namespace stembridge::tb

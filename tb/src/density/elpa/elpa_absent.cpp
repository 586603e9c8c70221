// SPDX-License-Identifier: Apache-2.0
// Without ELPA: a process by itself.
#include "density/elpa/elpa.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/helpers.hpp"

namespace stembridge::tb {

std::string why_no_elpa() {
    return "built without ELPA: configure with -D STEMBRIDGE_MPI=ON -D STEMBRIDGE_ELPA=ON";
}

std::unique_ptr<DensitySolver> make_elpa_solver() {
    throw UnsupportedError("solver \"elpa\": this program was " + why_no_elpa() +
                           "; \"dense\" gives the same with one process");
}

Helpers::Helpers(const Ranks& ranks) : ranks_(ranks) {}
Helpers::~Helpers() = default;

bool Helpers::were_called() const {
    return false;
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Networks for tests of the training through the program.
#pragma once

#include <string>

namespace stembridge::testing {

/// A configuration of networks that are trained in a second.
inline std::string small_training(const std::string& more) {
    return "[run]\nseed = 3\nthreads = 1\n[train]\nlayers = [1, 1, 1, 1, 1, 1, 1]\nfilters = 4\ncrop_px = "
           "48\n"
           "batch = 2\nsteps = 24\nlearning_rate = 1e-2\nvalidation_crops = 3\nreport_every = 6\n"
           "checkpoint_every = 2\n[train.frames]\nelectrons_per_pixel = [9000, 16000]\n"
           "hollow_to_peak = [0.2, 0.4]\ncontaminated_share = 0.0\n" +
           more;
}

}  // namespace stembridge::testing

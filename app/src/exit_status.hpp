// SPDX-License-Identifier: Apache-2.0
// How the program ends.
#pragma once

#include <array>

namespace stembridge::app {

enum ExitStatus { ok = 0, input = 2, file = 3, not_converged = 4, back_end = 5, stopped = 6, internal = 70 };

struct ExitMeaning {
    ExitStatus status;
    const char* meaning;
};

/// For the manual page.
inline constexpr std::array exit_meanings = {
    ExitMeaning{ok, "Done."},
    ExitMeaning{input, "Something was asked for that is not understood or not offered."},
    ExitMeaning{file, "A file is missing, damaged, or cannot be written."},
    ExitMeaning{not_converged, "A computation did not converge, or its numbers went astray."},
    ExitMeaning{back_end, "LibTorch, a GPU, memory, or the processor is not what the work needs."},
    ExitMeaning{stopped, "Stopped on request, with a checkpoint; the same command continues."},
    ExitMeaning{internal, "A mistake in the program."},
};

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
// Linked into the program and Python's module, and compiled for plain x86-64: ends them with a sentence on
// processors that they were not built for. The others would do so with SIGILL, perhaps before main().
#include <cstdio>
#include <cstdlib>

#include "stembridge/base/processor.hpp"

namespace {

// Before all other constructors of static objects.
[[gnu::constructor(101)]] void require_processor() {
    using namespace stembridge;
    const char* missing =
        first_missing_processor_feature(needed_processor_features, present_processor_features());
    if (missing == nullptr) return;
    std::fprintf(
        stderr,
        "stembridge: error: built for processors with %s, which this one lacks; build it for this one "
        "(CMake option STEMBRIDGE_PROCESSOR)\n",
        missing);
    std::_Exit(5);  // back end, as in app/src/exit_status.hpp
}

}  // namespace

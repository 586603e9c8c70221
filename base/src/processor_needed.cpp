// SPDX-License-Identifier: Apache-2.0
// Compiled for the same processor as all else; holds a constant and no code.
#include "processor_features.hpp"
#include "stembridge/base/processor.hpp"

namespace stembridge {
namespace {

// A macro of the compiler becomes 1 or, where it is not defined, stays its name.
#define STEMBRIDGE_TEXT(macro) #macro
#define STEMBRIDGE_ALLOWED(name, macro) STEMBRIDGE_TEXT(macro)[0] == '1',
constexpr bool allowed[] = {STEMBRIDGE_PROCESSOR_FEATURES(STEMBRIDGE_ALLOWED)};

constexpr unsigned allowed_set() {
    unsigned set = 0, bit = 1;
    for (const bool one : allowed) {
        if (one) set |= bit;
        bit <<= 1;
    }
    return set;
}

}  // namespace

constinit const unsigned needed_processor_features = allowed_set();

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Compiled for plain x86-64, and free of inline functions of other headers, which might come from other
// files.
#include "stembridge/base/processor.hpp"

#include "processor_features.hpp"

namespace stembridge {

unsigned present_processor_features() {
    __builtin_cpu_init();
    unsigned set = 0, bit = 1;
#define STEMBRIDGE_ADD(name, macro)               \
    if (__builtin_cpu_supports(name)) set |= bit; \
    bit <<= 1;
    STEMBRIDGE_PROCESSOR_FEATURES(STEMBRIDGE_ADD)
    return set;
}

const char* first_missing_processor_feature(unsigned needed, unsigned present) {
    unsigned bit = 1;
#define STEMBRIDGE_COMPARE(name, macro)              \
    if ((needed & ~present & bit) != 0) return name; \
    bit <<= 1;
    STEMBRIDGE_PROCESSOR_FEATURES(STEMBRIDGE_COMPARE)
    return nullptr;
}

}  // namespace stembridge

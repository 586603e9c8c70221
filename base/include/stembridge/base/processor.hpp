// SPDX-License-Identifier: Apache-2.0
// Whether this processor has what the compiler was allowed to use. Sets of features are bits; their order is
// our own.
#pragma once

namespace stembridge {

/// What this build may use beyond plain x86-64 (CMake's STEMBRIDGE_PROCESSOR).
extern const unsigned needed_processor_features;

/// What the processor has of it.
unsigned present_processor_features();

/// Name (GCC's, such as "avx2") of the first feature that is needed and not present; nullptr when there is
/// none.
const char* first_missing_processor_feature(unsigned needed, unsigned present);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/flush_to_zero.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace stembridge {
namespace {

#if defined(__SSE2__)
// Of the control register MXCSR: FTZ, results, and DAZ, operands.
constexpr std::uint64_t zero_for_subnormal = 0x8040;
std::uint64_t control() {
    return _mm_getcsr();
}
void set_control(std::uint64_t value) {
    _mm_setcsr(static_cast<unsigned>(value));
}
#elif defined(__aarch64__)
// Of the control register FPCR: FZ.
constexpr std::uint64_t zero_for_subnormal = std::uint64_t{1} << 24;
std::uint64_t control() {
    std::uint64_t value = 0;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
}
void set_control(std::uint64_t value) {
    asm volatile("msr fpcr, %0" : : "r"(value));
}
#else
constexpr std::uint64_t zero_for_subnormal = 0;
std::uint64_t control() {
    return 0;
}
void set_control(std::uint64_t) {}
#endif

}  // namespace

FlushToZero::FlushToZero() : before_(control()) {
    set_control(before_ | zero_for_subnormal);
}

FlushToZero::~FlushToZero() {
    set_control(before_);
}

}  // namespace stembridge

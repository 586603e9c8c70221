// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <limits>

#include "stembridge/base/flush_to_zero.hpp"

using namespace stembridge;

BOOST_AUTO_TEST_SUITE(test_flush_to_zero)

BOOST_AUTO_TEST_CASE(subnormal_numbers_are_zero_in_the_scope_and_there_again_behind_it) {
    // Computed at run time: the compiler knows nothing of the mode.
    volatile float small = std::numeric_limits<float>::min();
    volatile double small_double = std::numeric_limits<double>::min();
    const auto half = [&] { return small * 0.5F; };
    const auto half_double = [&] { return small_double * 0.5; };
    BOOST_TEST((half() > 0 && half_double() > 0));
    {
        const FlushToZero outer;
#if defined(__SSE2__) || defined(__aarch64__)
        BOOST_TEST((half() == 0 && half_double() == 0));
#endif
        BOOST_TEST((small == std::numeric_limits<float>::min()));
        { const FlushToZero inner; }
#if defined(__SSE2__) || defined(__aarch64__)
        BOOST_TEST(half() == 0);  // the outer scope goes on
#endif
    }
    BOOST_TEST((half() > 0 && half_double() > 0));
}

BOOST_AUTO_TEST_SUITE_END()

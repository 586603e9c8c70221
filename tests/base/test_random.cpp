// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/random.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using stembridge::Random;

BOOST_AUTO_TEST_SUITE(test_random)

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_numbers_and_another_seed_others) {
    Random a(7), b(7), c(8);
    for (int i = 0; i < 100; ++i) BOOST_TEST(a.next() == b.next());
    BOOST_TEST(a.next() != c.next());
}

BOOST_AUTO_TEST_CASE(a_saved_state_continues_exactly) {
    Random a(3);
    for (int i = 0; i < 11; ++i) a.normal();
    Random b(99);
    b.set_state(a.state());
    for (int i = 0; i < 100; ++i) BOOST_TEST(a.normal() == b.normal());
}

// Sample mean and variance of n deviates scatter by sd/sqrt(n) and about sqrt(2/n) var; five of those are
// allowed.
BOOST_AUTO_TEST_CASE(moments_of_the_distributions_are_right) {
    constexpr int n = 200000;
    Random random(1);
    const auto moments = [&](auto draw) {
        double sum = 0, squares = 0;
        for (int i = 0; i < n; ++i) {
            const double x = static_cast<double>(draw());
            sum += x;
            squares += x * x;
        }
        return std::pair(sum / n, squares / n - sum / n * sum / n);
    };
    const auto check = [&](auto draw, double mean, double variance) {
        const auto [m, v] = moments(draw);
        BOOST_TEST(std::abs(m - mean) < 5 * std::sqrt(variance / n));
        BOOST_TEST(std::abs(v - variance) < 5 * variance * std::sqrt(3.0 / n) + 1e-12);
    };
    check([&] { return random.uniform(); }, 0.5, 1.0 / 12);
    check([&] { return random.normal(); }, 0, 1);
    check([&] { return random.poisson(0.7); }, 0.7, 0.7);
    check([&] { return random.poisson(40); }, 40, 40);
    check([&] { return random.poisson(700); }, 700, 700);
    check([&] { return random.poisson(5000); }, 5000, 5000);
    check([&] { return random.below(6); }, 2.5, 35.0 / 12);
}

BOOST_AUTO_TEST_SUITE_END()

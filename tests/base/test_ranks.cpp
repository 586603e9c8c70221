// SPDX-License-Identifier: Apache-2.0
// A process that shares its work with nobody. With others: tests/app/test_ranks.cpp.
#include "stembridge/base/ranks.hpp"

#include <boost/test/unit_test.hpp>

#include "stembridge/base/errors.hpp"

using namespace stembridge;

BOOST_AUTO_TEST_SUITE(test_ranks)

BOOST_AUTO_TEST_CASE(a_process_by_itself_does_all_tasks_and_keeps_its_own_errors) {
    const Ranks ranks;
    BOOST_TEST(ranks.size() == 1);
    BOOST_TEST(ranks.is_first());
    BOOST_TEST(ranks.share_of(3) == (std::vector<std::size_t>{0, 1, 2}), boost::test_tools::per_element());
    BOOST_TEST(ranks.share_of(0).empty());
    int done = 0;
    ranks.together([&] { ++done; });
    ranks.first_alone([&] { ++done; });
    BOOST_TEST(done == 2);
    BOOST_CHECK_THROW(ranks.together([] { throw InputError("no"); }), InputError);
    BOOST_CHECK_THROW(ranks.first_alone([] { throw StoppedError("later"); }), StoppedError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/report.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include "report_example.hpp"
#include "support/support.hpp"

using namespace stembridge;
namespace fs = std::filesystem;
BOOST_AUTO_TEST_SUITE(test_report)
BOOST_AUTO_TEST_CASE(example) {
    if (const char* folder = std::getenv("STEMBRIDGE_REPORT_EXAMPLE"))
        io::write_report(folder, testing::example_report());
}
BOOST_AUTO_TEST_SUITE_END()

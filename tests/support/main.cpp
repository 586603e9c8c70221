// SPDX-License-Identifier: Apache-2.0
// The entry point of every test executable.
#include "support/support.hpp"

#include <boost/test/unit_test.hpp>

namespace {
bool init_unit_test() {
    return true;
}
}  // namespace

int main(int argc, char** argv) {
    const int status = boost::unit_test::unit_test_main(&init_unit_test, argc, argv);
    // 77 is CTest's SKIP_RETURN_CODE: a failure is never hidden by a skip.
    return status == 0 && stembridge::testing::anything_skipped() ? 77 : status;
}

// SPDX-License-Identifier: Apache-2.0
// What needs a GPU: every operation and every solver on it against the processor.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "gpu_checks.hpp"
#include "sheets.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/devices.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

/// Whether there is a GPU; without one the test is skipped, or fails where STEMBRIDGE_REQUIRE_BACKENDS names
/// cuda.
bool gpu_found() {
    try {
        return !list_gpus().empty();
    } catch (const BackendError& e) {
        const char* required = std::getenv("STEMBRIDGE_REQUIRE_BACKENDS");
        if (required != nullptr && std::string(required).find("cuda") != std::string::npos)
            BOOST_FAIL("STEMBRIDGE_REQUIRE_BACKENDS wants a GPU: " << e.what());
        testing::skip(e.what());
        return false;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_gpu)

BOOST_AUTO_TEST_CASE(operations_and_solvers_agree_with_the_processor) {
    if (!gpu_found()) return;
    for (const Gpu& gpu : list_gpus()) testing::check_comparisons_of_gpu(gpu.index);
}

BOOST_AUTO_TEST_CASE(self_consistent_forces_agree_with_the_processor) {
    if (!gpu_found()) return;
    testing::check_forces_of_gpu(testing::ragged_flake(9, 0.03));
}

BOOST_AUTO_TEST_SUITE_END()

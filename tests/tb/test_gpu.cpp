// SPDX-License-Identifier: Apache-2.0
// What needs a GPU: every operation and every solver on it against the processor.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

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
    for (const Gpu& gpu : list_gpus())
        tb::test_gpu(gpu.index, [&](const DeviceCheck& check) {
            BOOST_TEST_CONTEXT("GPU " << gpu.index << ", " << check.what << ": " << check.difference << " "
                                      << check.error)
            BOOST_TEST(check.passed());
        });
}

BOOST_AUTO_TEST_CASE(self_consistent_forces_agree_with_the_processor) {
    if (!gpu_found()) return;
    const Structure s = testing::ragged_flake(9, 0.03);
    const auto evaluate = [&](const std::string& solver, const std::string& method) {
        SccDftbOptions options = testing::builtin_options();
        options.scc.tolerance = 1e-8;
        options.solver = solver;
        options.device.method = method;
        SccDftb calculator(options);
        Evaluation out;
        calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
        return out;
    };
    const Evaluation exact = evaluate("dense", "auto");
    for (const std::string method : {"exact", "purification", "pole-expansion"}) {
        const Evaluation mine = evaluate("cuda", method);
        BOOST_TEST(mine.solver == "cuda-" + method);
        BOOST_CHECK_SMALL((mine.energy - exact.energy) / s.size(), method == "exact" ? 1e-9 : 1e-7);
        BOOST_CHECK_SMALL((mine.forces - exact.forces).cwiseAbs().maxCoeff(), 1e-5);
    }
}

BOOST_AUTO_TEST_SUITE_END()

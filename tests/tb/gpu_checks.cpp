// SPDX-License-Identifier: Apache-2.0
#include "gpu_checks.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "sheets.hpp"
#include "stembridge/tb/devices.hpp"

namespace stembridge::testing {

using namespace stembridge::tb;

int check_comparisons_of_gpu(int index) {
    int n = 0;
    tb::test_gpu(index, [&](const DeviceCheck& check) {
        BOOST_TEST_CONTEXT("GPU " << index << ", " << check.what << ": " << check.difference << " "
                                  << check.error)
        BOOST_TEST(check.passed());
        ++n;
    });
    return n;
}

void check_forces_of_gpu(const Structure& structure) {
    const auto evaluate = [&](const std::string& solver, const std::string& method) {
        SccDftbOptions options = builtin_options();
        options.scc.tolerance = 1e-8;
        options.solver = solver;
        options.device.method = method;
        SccDftb calculator(options);
        Evaluation out;
        calculator.evaluate(structure, {.forces = true, .stress = false}, out, Context{});
        return out;
    };
    const Evaluation exact = evaluate("dense", "auto");
    for (const std::string method : {"exact", "purification", "pole-expansion"}) {
        const Evaluation mine = evaluate("cuda", method);
        BOOST_TEST(mine.solver == "cuda-" + method);
        BOOST_CHECK_SMALL((mine.energy - exact.energy) / structure.size(), method == "exact" ? 1e-9 : 1e-7);
        BOOST_CHECK_SMALL((mine.forces - exact.forces).cwiseAbs().maxCoeff(), 1e-5);
    }
}

}  // namespace stembridge::testing

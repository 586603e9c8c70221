// SPDX-License-Identifier: Apache-2.0
// A whole report from made-up data: a graphene frame with a Stone-Wales defect, its crop, relaxation and
// dynamics.
#pragma once

#include "stembridge/io/report.hpp"

namespace stembridge::testing {

struct ExampleOptions {
    int frame_px = 896;
    int cells_x = 40;
    int cells_y = 23;
    int crop_atoms = 91;
    int steps = 2000;
};

/// The same numbers at every call.
io::ReportData example_report(const ExampleOptions& options = {});

}  // namespace stembridge::testing

// SPDX-License-Identifier: Apache-2.0
#include "sheets.hpp"

#include <cmath>

#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"
#include "support/support.hpp"

namespace stembridge::testing {

tb::SccDftbOptions builtin_options() {
    tb::SccDftbOptions options;
    options.parameters = {source_folder() / "data" / "parameters" / "stembridge-1"};
    return options;
}

Structure rattled_flake(double radius_angstrom, double rattle_angstrom) {
    const Structure whole = graphene_flake(radius_angstrom * units::angstrom);
    Structure s;
    Random random(7);
    for (int i = 0; i < whole.size(); ++i) {
        Eigen::Vector3d r = whole.positions.col(i);
        for (int k = 0; k < 3; ++k) r(k) += rattle_angstrom * units::angstrom * random.normal();
        s.add(i == 11 ? 14 : 6, r + (i == 11 ? Eigen::Vector3d(0, 0, 1.5) : Eigen::Vector3d(0, 0, 0)));
    }
    return s;
}

Structure gapped_carbide_sheet(int repeats) {
    const double bond = 1.78 * units::angstrom, a = std::sqrt(3.0) * bond;
    Structure s;
    for (int i = 0; i < repeats; ++i)
        for (int j = 0; j < repeats; ++j) {
            const Eigen::Vector3d origin(a * (i + 0.5 * j), a * std::sqrt(0.75) * j, 0);
            s.add(6, origin);
            s.add(14, origin + Eigen::Vector3d(0, bond, 0));
        }
    s.cell.vectors.col(0) << a * repeats, 0, 0;
    s.cell.vectors.col(1) << 0.5 * a * repeats, a * std::sqrt(0.75) * repeats, 0;
    s.cell.vectors.col(2) << 0, 0, 30;
    s.cell.periodic = {true, true, false};
    return s;
}

std::unique_ptr<tb::ElectronicState> matrices_of(const Structure& structure) {
    tb::SccDftbOptions options = builtin_options();
    options.solver = "dense";
    options.scc.enabled = false;
    tb::SccDftb calculator(std::move(options));
    Evaluation out;
    calculator.evaluate(structure, {.forces = false, .stress = false}, out, Context{});
    return calculator.electronic_state();
}

}  // namespace stembridge::testing

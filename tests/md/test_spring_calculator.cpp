// SPDX-License-Identifier: Apache-2.0
// The test calculators themselves: nothing that is tested with them is worth more than they are.
#include "support/spring_calculator.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::testing;

namespace {

void check_forces(Calculator& calculator, const Structure& structure) {
    Evaluation out;
    calculator.evaluate(structure, {}, out, Context{});
    // Central differences with a step of 1e-4 bohr: error about 1e-8 x the third derivative (below 10).
    const double error = (out.forces - numerical_forces(calculator, structure, 1e-4)).cwiseAbs().maxCoeff();
    BOOST_TEST(out.forces.cwiseAbs().maxCoeff() > 1e-3);
    BOOST_TEST(error < 1e-7);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_spring_calculator)

BOOST_AUTO_TEST_CASE(spring_forces_match_finite_differences_in_a_cluster_and_in_a_periodic_sheet) {
    for (const bool periodic : {false, true}) {
        const Structure sheet = graphene_sheet(2, 2, periodic);
        SpringCalculator springs(sheet);
        check_forces(springs, rattled(sheet, 0.2));
    }
}

BOOST_AUTO_TEST_CASE(morse_and_well_forces_match_finite_differences) {
    const Structure cluster = rattled(graphene_sheet(1, 2, false), 0.2);
    MorseCalculator morse(0.1, 0.8, 3.0);
    check_forces(morse, cluster);
    WellCalculator well(0.3);
    check_forces(well, cluster);
}

BOOST_AUTO_TEST_CASE(the_sheet_has_three_springs_per_atom_and_is_at_rest) {
    const Structure sheet = graphene_sheet(3, 2, true);
    SpringCalculator springs(sheet);
    Evaluation out;
    springs.evaluate(sheet, {}, out, Context{});
    BOOST_TEST(out.forces.cwiseAbs().maxCoeff() < 1e-13);
    // Stretched by 1 %: 3/2 bonds per atom, k/2 (0.01 x 2.68)^2 each.
    Structure stretched = sheet;
    stretched.positions *= 1.01;
    stretched.cell.vectors *= 1.01;
    springs.evaluate(stretched, {}, out, Context{});
    BOOST_TEST(out.energy == sheet.size() * 1.5 * 0.5 * 0.46 * 0.0268 * 0.0268,
               boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/observables.hpp"

#include <boost/test/unit_test.hpp>

#include "stembridge/base/errors.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_observables)

BOOST_AUTO_TEST_CASE(the_drift_is_the_slope_of_the_least_squares_line_per_atom) {
    // y = 2 + 3 t exactly, with a symmetric zigzag that has no slope of its own.
    const std::vector<double> t = {0, 1, 2, 3, 4};
    const std::vector<double> y = {2.1, 4.9, 8.1 - 0.1, 10.9, 14.1};
    BOOST_TEST(drift_per_atom(t, y, 6) == 0.5, boost::test_tools::tolerance(1e-12));
    BOOST_CHECK_THROW(drift_per_atom(t, std::vector<double>{1, 2}, 6), InputError);
    BOOST_CHECK_THROW(drift_per_atom(std::vector<double>{1, 1}, std::vector<double>{1, 2}, 6), InputError);
    BOOST_CHECK_THROW(drift_per_atom({}, {}, 6), InputError);
}

BOOST_AUTO_TEST_CASE(kinetic_energy_and_temperature_of_one_moving_atom) {
    Structure s;
    s.add(6, {0, 0, 0});
    BOOST_TEST(kinetic_energy(s) == 0);
    s.velocities = Eigen::Vector3d(1e-3, 2e-3, -2e-3);
    const double expected = 0.5 * s.masses()(0) * 9e-6;
    BOOST_TEST(kinetic_energy(s) == expected, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(kinetic_temperature(expected, 3) == 2 * expected / 3, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(kinetic_temperature(expected, 0) == 0);
}

BOOST_AUTO_TEST_CASE(each_bond_of_a_periodic_sheet_is_counted_once) {
    for (const int nx : {1, 3}) {  // in a cell one atom wide, bonds go from an atom to images
        const Structure sheet = graphene_sheet(nx, 2, true);
        BondStatistics bonds;
        bonds.add(sheet);
        bonds.add(sheet);
        const BondLengths cc = bonds.lengths().at("C-C");
        BOOST_TEST(bonds.frames() == 2);
        BOOST_TEST(cc.count == 2 * 3 * sheet.size() / 2);
        BOOST_TEST(cc.mean == 2.68, boost::test_tools::tolerance(1e-12));
        BOOST_TEST(cc.deviation < 1e-7);
        const auto bin = static_cast<std::size_t>((2.68 - bonds.low()) / bonds.width());
        BOOST_TEST(cc.histogram[bin] == cc.count);
    }
}

BOOST_AUTO_TEST_CASE(mean_and_deviation_of_bonds_over_frames_by_pair_of_elements) {
    Structure molecule;
    molecule.add(6, {0, 0, 0});
    molecule.add(1, {2.0, 0, 0});
    molecule.add(1, {-2.2, 0, 0});
    BondStatistics bonds;
    bonds.add(molecule);
    molecule.positions(0, 1) = 2.4;
    bonds.add(molecule);  // lengths 2.0, 2.2, 2.4, 2.2
    const auto lengths = bonds.lengths();
    BOOST_TEST(lengths.size() == 1u);
    const BondLengths& ch = lengths.at("C-H");
    BOOST_TEST(ch.count == 4);
    BOOST_TEST(ch.mean == 2.2, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(ch.deviation == std::sqrt(0.02), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(ch.shortest == 2.0);
    BOOST_TEST(ch.longest == 2.4);
}

BOOST_AUTO_TEST_CASE(bond_statistics_continue_from_a_checkpoint) {
    const Structure sheet = graphene_sheet(2, 2, true);
    BondStatistics whole, first;
    whole.add(rattled(sheet, 0.1, 1));
    first.add(rattled(sheet, 0.1, 1));
    BondStatistics second;
    second.restore(first.save());
    whole.add(rattled(sheet, 0.1, 2));
    second.add(rattled(sheet, 0.1, 2));
    BOOST_TEST((whole.save().values() == second.save().values()));
    BondStatistics other_bins(1.25, 1.0, 0.1, 10);
    BOOST_CHECK_THROW(other_bins.restore(first.save()), FileError);
}

BOOST_AUTO_TEST_SUITE_END()

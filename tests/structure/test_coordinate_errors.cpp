// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/coordinate_errors.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;

BOOST_AUTO_TEST_SUITE(test_coordinate_errors)

BOOST_AUTO_TEST_CASE(a_shift_and_a_turn_are_no_error_and_the_third_axis_is_left_out) {
    const Structure relaxed = graphene_flake(9 * units::angstrom);
    Structure found = relaxed;
    found.positions = Eigen::AngleAxisd(0.4, Eigen::Vector3d::UnitZ()).toRotationMatrix() * found.positions;
    found.positions.colwise() += Eigen::Vector3d(3, -8, 1);
    Structure buckled = relaxed;
    buckled.positions.row(2).setRandom();
    const CoordinateErrors errors = coordinate_errors(found, buckled);
    BOOST_TEST(errors.largest_distance < 1e-12);
    BOOST_TEST(errors.share_below_5_percent == 1.0);
    BOOST_TEST(static_cast<int>(errors.atoms.size()) == relaxed.size());
}

BOOST_AUTO_TEST_CASE(one_atom_that_is_off_shows_where_and_by_how_much) {
    const Structure relaxed = graphene_flake(20 * units::angstrom);
    Structure found = relaxed;
    found.positions(0, 7) += 0.142 * units::angstrom;  // a tenth of a bond
    const CoordinateErrors errors = coordinate_errors(found, relaxed);
    // The others take up 1/n of it in the shift and turn.
    const double n = relaxed.size();
    Eigen::Index worst = 0;
    errors.percent.maxCoeff(&worst);
    BOOST_TEST(errors.atoms[static_cast<std::size_t>(worst)] == 7);
    BOOST_TEST(errors.percent(7) == 10.0, boost::test_tools::tolerance(4 / n));
    BOOST_TEST(errors.share_below_5_percent == 1 - 1 / n, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(errors.rms_distance == 0.142 * units::angstrom / std::sqrt(n),
               boost::test_tools::tolerance(4 / n));
}

BOOST_AUTO_TEST_CASE(a_frame_with_a_scale_of_two_per_cent_shows_it_in_the_bond_lengths) {
    const Structure relaxed = graphene_sheet(3, 3);
    Structure found = relaxed;
    found.positions *= 1.02;
    found.cell.vectors *= 1.02;
    const CoordinateErrors errors = coordinate_errors(found, relaxed);
    BOOST_TEST(errors.mean_bond_error == 2.0, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(static_cast<int>(errors.bond_errors.size()) == 3 * relaxed.size() / 2);
}

BOOST_AUTO_TEST_CASE(a_shift_of_a_periodic_sheet_is_no_error_whatever_images_its_atoms_are_given_in) {
    const Structure relaxed = graphene_sheet(3, 2);
    for (const double far : {0.1, 0.5, 0.9}) {
        Structure found = relaxed;
        found.positions.colwise() += far * relaxed.cell.vector(0);
        Eigen::Matrix3Xd fractions = found.cell.fractional(found.positions);
        fractions.topRows<2>().array() -= (fractions.topRows<2>().array() + 1e-9).floor();
        found.positions = found.cell.cartesian(fractions);
        const CoordinateErrors errors = coordinate_errors(found, relaxed);
        BOOST_TEST(errors.largest_distance < 1e-9);
        BOOST_TEST(errors.mean_bond_error < 1e-9);
    }
    // What repeats cannot turn against its cell: a turn counts.
    Structure turned = relaxed;
    turned.positions =
        Eigen::AngleAxisd(0.01, Eigen::Vector3d::UnitZ()).toRotationMatrix() * relaxed.positions;
    BOOST_TEST(coordinate_errors(turned, relaxed).largest_distance > 0.01);
}

BOOST_AUTO_TEST_CASE(hydrogen_is_left_out_unless_asked_for_and_other_atoms_are_refused) {
    BuildReport report;
    const Structure flake =
        terminate_with_hydrogen(graphene_flake(6 * units::angstrom), {}, report).structure;
    BOOST_TEST(static_cast<int>(coordinate_errors(flake, flake).atoms.size()) == flake.count(6));
    BOOST_TEST(coordinate_errors(flake, flake, {1, 2}).atoms == (std::vector{1, 2}));
    BOOST_CHECK_THROW(coordinate_errors(flake, flake, {flake.size()}), InputError);
    BOOST_CHECK_THROW(coordinate_errors(flake, graphene_flake(6 * units::angstrom)), InputError);
    BOOST_CHECK_THROW(coordinate_errors(Structure{}, Structure{}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/straighten.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;

namespace {

constexpr double angstrom = units::angstrom;

Structure distorted(Structure structure, const Eigen::Matrix2d& by, double scatter) {
    structure.positions.topRows<2>() = by * structure.positions.topRows<2>();
    Random random(5);
    for (double& x : structure.positions.topRows<2>().reshaped()) x += scatter * random.normal();
    return structure;
}

/// A rotation is no distortion: what counts is map * by being one.
double distance_from_rotation(const Eigen::Matrix2d& m) {
    return (m.transpose() * m - Eigen::Matrix2d::Identity()).norm();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_straighten)

BOOST_AUTO_TEST_CASE(scale_anisotropy_and_shear_of_a_flake_are_found_to_the_last_digits) {
    const Structure flake = graphene_flake(15 * angstrom);
    Eigen::Matrix2d by;
    by << 1.06, 0.03, -0.01, 0.97;
    Structure structure = distorted(flake, by, 0);
    structure.cell.vectors = 30 * angstrom * Eigen::Matrix3d::Identity();
    const Straightening found = straighten_sheet(structure);
    BOOST_TEST(distance_from_rotation(found.map * by) < 1e-9);
    BOOST_TEST(found.anisotropy_before > 0.08);
    BOOST_TEST(!structure.cell.is_periodic());
    BOOST_TEST((structure.positions.topRows<2>() - found.map * (by * flake.positions.topRows<2>())).norm() <
               1e-9);
}

BOOST_AUTO_TEST_CASE(scattered_positions_give_the_map_within_their_statistics) {
    const Structure flake = graphene_flake(25 * angstrom);  // some 700 atoms
    Eigen::Matrix2d by;
    by << 0.95, 0.02, 0.02, 1.02;
    // Scatter s in each coordinate changes mean(b b^T) by d s sqrt(2 / bonds): 2e-3 of d^2/2 here.
    Structure structure = distorted(flake, by, 0.07 * angstrom);
    const Straightening found = straighten_sheet(structure);
    BOOST_TEST(distance_from_rotation(found.map * by) < 0.02);
    BOOST_TEST(found.n_atoms > 500);
}

BOOST_AUTO_TEST_CASE(positions_without_a_sheet_are_refused) {
    Structure flake = graphene_flake(4 * angstrom);
    BOOST_CHECK_THROW(straighten_sheet(flake), InputError);
    Structure far = graphene_flake(15 * angstrom, 3 * angstrom);
    BOOST_CHECK_THROW(straighten_sheet(far), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// gamma and the Ewald sum.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "coulomb/ewald.hpp"
#include "coulomb/gamma.hpp"
#include "stembridge/base/errors.hpp"
#include "synthetic.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

Structure rock_salt(double a) {
    Structure s;
    for (int x = 0; x < 2; ++x)
        for (int y = 0; y < 2; ++y)
            for (int z = 0; z < 2; ++z)
                s.add((x + y + z) % 2 == 0 ? 11 : 17, Eigen::Vector3d(x, y, z) * a / 2);
    s.cell.vectors = a * Eigen::Matrix3d::Identity();
    s.cell.periodic = {true, true, true};
    return s;
}

double energy(const Structure& s, const Eigen::VectorXd& q) {
    return 0.5 * q.dot(Ewald(s).matrix() * q);
}

/// Five atoms that repeat along the first two vectors of the triclinic cell only.
Structure sheet() {
    Structure s = testing::crystal();
    s.cell.periodic = {true, true, false};
    return s;
}

/// Charges with a sum, so that the background (or its absence) counts.
Eigen::VectorXd five_charges() {
    Eigen::VectorXd q(5);
    q << 0.3, -0.2, 0.5, 0.1, -0.4;
    return q;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_electrostatics)

BOOST_AUTO_TEST_CASE(gamma_reaches_its_on_site_value_and_the_coulomb_law) {
    for (const auto& [ua, ub] : {std::pair{0.4, 0.4}, {0.42, 0.36}, {0.2, 0.5}}) {
        const Gamma g(ua, ub);
        // gamma(R) = gamma(0) + O(R^2); at R = 1e-2 the 1/R terms have cancelled to about 1e-8.
        BOOST_CHECK_SMALL(1 / 1e-2 - g.short_range(1e-2)[0] - g.on_site(), 1e-4);
        BOOST_CHECK_SMALL(g.short_range(40)[0], 1e-9);
        BOOST_CHECK_SMALL(g.short_range(g.range(1e-10))[0], 1e-10);
    }
    BOOST_TEST(Gamma(0.37, 0.37).on_site() == 0.37, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(gamma_is_symmetric_and_continuous_in_the_hubbard_parameters) {
    for (const double r : {0.5, 2.0, 5.0}) {
        BOOST_TEST(Gamma(0.4, 0.3).short_range(r)[0] == Gamma(0.3, 0.4).short_range(r)[0],
                   boost::test_tools::tolerance(1e-12));
        // Nearly equal parameters are taken as equal; at that border the two formulas agree to the square of
        // the difference.
        for (const double difference : {1e-6, 1.9e-4, 2.1e-4, 1e-3})
            BOOST_CHECK_SMALL(
                Gamma(0.4 * (1 + difference / 2), 0.4 * (1 - difference / 2)).short_range(r)[0] -
                    Gamma(0.4, 0.4).short_range(r)[0],
                2e-7 + difference * difference);
    }
}

BOOST_AUTO_TEST_CASE(gamma_derivative_matches_differences_with_and_without_damping) {
    for (const auto& damping : {std::optional<double>(), std::optional<double>(4.0)})
        for (const double ub : {0.4, 0.3})
            for (const double r : {1.0, 2.5, 6.0}) {
                const Gamma g(0.4, ub, damping);
                const double h = 1e-4;
                BOOST_CHECK_SMALL(
                    g.short_range(r)[1] - (g.short_range(r + h)[0] - g.short_range(r - h)[0]) / (2 * h),
                    1e-7);
            }
}

BOOST_AUTO_TEST_CASE(gamma_derivative_with_respect_to_the_first_hubbard_parameter) {
    for (const auto& damping : {std::optional<double>(), std::optional<double>(4.0)})
        for (const double r : {1.0, 2.5, 6.0}) {
            const double h = 1e-5;
            const auto [value, slope] = Gamma(0.41, 0.3, damping).hubbard_derivative(r);
            const Gamma plus(0.41 + h, 0.3, damping), minus(0.41 - h, 0.3, damping);
            BOOST_CHECK_SMALL(value - (plus.short_range(r)[0] - minus.short_range(r)[0]) / (2 * h), 1e-7);
            BOOST_CHECK_SMALL(slope - (plus.short_range(r)[1] - minus.short_range(r)[1]) / (2 * h), 1e-7);
            // Equal parameters: the derivative of the common value (the convention of DFTB3), here without
            // damping.
            const Gamma up(0.4 + h, 0.4 + h), down(0.4 - h, 0.4 - h);
            BOOST_CHECK_SMALL(Gamma(0.4, 0.4).hubbard_derivative(r)[0] -
                                  (up.short_range(r)[0] - down.short_range(r)[0]) / (2 * h),
                              1e-7);
        }
}

BOOST_AUTO_TEST_CASE(ewald_gives_the_madelung_constant_of_rock_salt) {
    const double a = 10.0;
    const Structure s = rock_salt(a);
    Eigen::VectorXd q(8);
    for (int i = 0; i < 8; ++i) q(i) = s.atomic_numbers[static_cast<std::size_t>(i)] == 11 ? 1 : -1;
    // 1.747564594633182: Madelung constant referred to the nearest distance (OEIS A085469)
    BOOST_CHECK_SMALL(energy(s, q) + 4 * 1.747564594633182 / (a / 2), 1e-11);
}

BOOST_AUTO_TEST_CASE(ewald_does_not_depend_on_the_splitting) {
    const Structure s = testing::crystal();
    const Eigen::MatrixXd loose = Ewald(s, 1e-8).matrix(), tight = Ewald(s, 1e-13).matrix();
    BOOST_CHECK_SMALL((loose - tight).cwiseAbs().maxCoeff(), 1e-8);
    // A supercell splits differently and must give twice the energy, also with a net charge.
    Structure twice = s;
    for (int i = 0; i < s.size(); ++i)
        twice.add(s.atomic_numbers[static_cast<std::size_t>(i)], s.positions.col(i) + s.cell.vector(2));
    twice.cell.vectors.col(2) *= 2;
    const Eigen::VectorXd q = five_charges();
    Eigen::VectorXd qq(10);
    qq << q, q;
    BOOST_CHECK_SMALL(energy(twice, qq) - 2 * energy(s, q), 1e-11);
}

BOOST_AUTO_TEST_CASE(ewald_forces_and_stress_match_differences) {
    const Eigen::VectorXd q = five_charges();
    for (const Structure& s : {testing::crystal(), sheet()}) {
        Eigen::Matrix3Xd forces = Eigen::Matrix3Xd::Zero(3, 5);
        Eigen::Matrix3d strain = Eigen::Matrix3d::Zero();
        Ewald(s).add_forces(q, forces);
        Ewald(s).add_stress(q, strain);
        const double h = 1e-3;
        for (int i = 0; i < 5; ++i)
            for (int axis = 0; axis < 3; ++axis) {
                Structure plus = s, minus = s;
                plus.positions(axis, i) += h;
                minus.positions(axis, i) -= h;
                BOOST_CHECK_SMALL(forces(axis, i) + (energy(plus, q) - energy(minus, q)) / (2 * h), 1e-7);
            }
        for (int a = 0; a < 3; ++a)
            for (int b = 0; b <= a; ++b) {
                const auto strained = [&](double e) {
                    Eigen::Matrix3d d = Eigen::Matrix3d::Identity();
                    d(a, b) += e / 2;
                    d(b, a) += e / 2;
                    Structure t = s;
                    t.positions = d * s.positions;
                    t.cell.vectors = d * s.cell.vectors;
                    return energy(t, q);
                };
                BOOST_CHECK_SMALL(strain(a, b) - (strained(1e-4) - strained(-1e-4)) / 2e-4, 1e-7);
            }
    }
}

BOOST_AUTO_TEST_CASE(ewald_gives_the_madelung_constant_of_a_square_layer) {
    Structure s;
    Eigen::VectorXd q(4);
    for (int x = 0; x < 2; ++x)
        for (int y = 0; y < 2; ++y) {
            q(s.size()) = (x + y) % 2 == 0 ? 1 : -1;
            s.add(11, Eigen::Vector3d(x * 5.0, 2.0, y * 5.0));
        }
    // The plane of the first and third vector; the second is nothing.
    s.cell.vectors.col(0) << 10, 0, 0;
    s.cell.vectors.col(2) << 0, 0, 10;
    s.cell.periodic = {true, false, true};
    // 1.615542626712824: Madelung constant referred to the nearest distance (OEIS A088537)
    BOOST_CHECK_SMALL(energy(s, q) + 2 * 1.6155426267128247 / 5, 1e-11);
}

BOOST_AUTO_TEST_CASE(ewald_of_a_sheet_does_not_depend_on_the_splitting) {
    const Structure s = sheet();
    const Eigen::MatrixXd loose = Ewald(s, 1e-8).matrix(), tight = Ewald(s, 1e-13).matrix();
    BOOST_CHECK_SMALL((loose - tight).cwiseAbs().maxCoeff(), 1e-8);
    // A supercell splits differently and must give twice the energy, also with a net charge.
    const Eigen::VectorXd q = five_charges();
    Eigen::VectorXd qq(10);
    qq << q, q;
    Structure twice = s;
    for (int i = 0; i < s.size(); ++i)
        twice.add(s.atomic_numbers[static_cast<std::size_t>(i)], s.positions.col(i) + s.cell.vector(1));
    twice.cell.vectors.col(1) *= 2;
    BOOST_CHECK_SMALL(energy(twice, qq) - 2 * energy(s, q), 1e-11);
}

BOOST_AUTO_TEST_CASE(a_far_plane_of_charges_is_a_uniform_one) {
    Structure s;
    s.add(1, {0, 0, 0});
    s.add(1, {1, 2, 40});
    s.cell.vectors.col(0) << 6, 0, 0;
    s.cell.vectors.col(1) << 2, 7, 0;
    s.cell.periodic = {true, true, false};
    // What is not uniform falls as exp(-2 pi z / a) = 1e-16.
    BOOST_CHECK_SMALL(Ewald(s).matrix()(0, 1) + 2 * M_PI * 40 / 42, 1e-11);
}

BOOST_AUTO_TEST_CASE(ewald_refuses_what_is_not_periodic) {
    BOOST_CHECK_THROW(Ewald(testing::molecule()), InputError);
    Structure wire = sheet();
    wire.cell.periodic = {true, false, false};
    BOOST_CHECK_THROW(Ewald{wire}, InputError);
    Structure flat = sheet();
    flat.cell.vectors.col(1) = flat.cell.vectors.col(0);
    BOOST_CHECK_THROW(Ewald{flat}, InputError);
}

BOOST_AUTO_TEST_SUITE_END()

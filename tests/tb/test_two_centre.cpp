// SPDX-License-Identifier: Apache-2.0
// Interpolation of tables and rotation of two-centre integrals.
#include <Eigen/Geometry>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "hamiltonian/radial_table.hpp"
#include "hamiltonian/slater_koster.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

double smooth(double r) {
    return std::exp(-0.6 * r) * (1 + 0.2 * std::sin(r));
}

RadialTable smooth_table() {
    std::vector<double> values;
    for (int k = 1; k <= 200; ++k) {
        values.push_back(smooth(0.05 * k));
        values.push_back(-2 * smooth(0.05 * k));
    }
    return RadialTable(0.05, 2, values);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_two_centre)

BOOST_AUTO_TEST_CASE(interpolation_is_exact_for_polynomials_of_seventh_degree) {
    const auto polynomial = [](double r) { return 1 + r - 0.5 * std::pow(r, 3) + 0.01 * std::pow(r, 7); };
    std::vector<double> values;
    for (int k = 1; k <= 20; ++k) values.push_back(polynomial(0.1 * k));
    const RadialTable table(0.1, 1, values);
    for (const double r : {0.05, 0.13, 0.99, 1.0, 1.77, 1.9999}) {
        double value = 0, slope = 0;
        table.evaluate(r, &value, &slope);
        BOOST_TEST(value == polynomial(r), boost::test_tools::tolerance(1e-11));
        BOOST_TEST(slope == 1 - 1.5 * r * r + 0.07 * std::pow(r, 6), boost::test_tools::tolerance(1e-9));
    }
    BOOST_CHECK_THROW(RadialTable(0.1, 1, std::vector<double>(7, 1.0)), InputError);
}

BOOST_AUTO_TEST_CASE(interpolation_follows_a_smooth_function_and_its_slope) {
    const RadialTable table = smooth_table();
    for (double r = 0.5; r < 9.9; r += 0.0371) {
        double value[2], slope[2];
        table.evaluate(r, value, slope);
        BOOST_CHECK_SMALL(value[0] - smooth(r), 1e-12);
        BOOST_CHECK_SMALL(value[1] + 2 * smooth(r), 2e-12);
        const double h = 1e-4;
        BOOST_CHECK_SMALL(slope[0] - (smooth(r + h) - smooth(r - h)) / (2 * h), 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(tail_goes_smoothly_to_zero) {
    const RadialTable table = smooth_table();
    const auto value = [&](double r) {
        double v[2];
        table.evaluate(r, v, nullptr);
        return v[0];
    };
    const auto slope = [&](double r) {
        double v[2], d[2];
        table.evaluate(r, v, d);
        return d[0];
    };
    BOOST_TEST(table.range() == 11.0);
    // Value, slope and curvature go on where the table ends and vanish where the tail ends.
    const double e = 1e-6;
    BOOST_CHECK_SMALL(value(10 - 1e-9) - value(10 + 1e-9), 1e-11);
    BOOST_CHECK_SMALL(slope(10 - 1e-9) - slope(10 + 1e-9), 1e-11);
    BOOST_CHECK_SMALL((slope(10) - slope(10 - e)) / e - (slope(10 + e) - slope(10)) / e, 1e-6);
    BOOST_CHECK_SMALL(value(11 - 1e-4), 1e-13);
    BOOST_CHECK_SMALL(slope(11 - 1e-4), 1e-9);
    BOOST_TEST(value(11.0) == 0.0);
    for (const double r : {10.1, 10.5, 10.9})
        BOOST_CHECK_SMALL(slope(r) - (value(r + e) - value(r - e)) / (2 * e), 1e-9);
}

BOOST_AUTO_TEST_CASE(blocks_have_the_integrals_as_singular_values_in_every_direction) {
    // In the frame of the bond a block is diagonal: sigma once, pi and delta twice. Rotations change no
    // singular value.
    const double v[3] = {0.7, -0.4, 0.15};
    for (const Eigen::Vector3d& direction : {Eigen::Vector3d(1, 2, 3), Eigen::Vector3d(0, 0, 1),
                                             Eigen::Vector3d(-1, 0.2, 0), Eigen::Vector3d(0, -1, 0)}) {
        const Eigen::Vector3d u = direction.normalized();
        for (int l1 = 0; l1 <= 2; ++l1)
            for (int l2 = l1; l2 <= 2; ++l2) {
                Eigen::MatrixXd block(2 * l1 + 1, 2 * l2 + 1);
                slater_koster_block(l1, l2, u, v, block);
                std::vector<double> expected = {0.7};
                if (l1 >= 1) expected.insert(expected.end(), {0.4, 0.4});
                if (l1 == 2) expected.insert(expected.end(), {0.15, 0.15});
                const Eigen::VectorXd singular = block.jacobiSvd().singularValues();
                for (std::size_t k = 0; k < expected.size(); ++k)
                    BOOST_CHECK_SMALL(singular(static_cast<Eigen::Index>(k)) - expected[k], 1e-13);
            }
    }
}

BOOST_AUTO_TEST_CASE(blocks_along_z_hold_the_integrals_where_they_belong) {
    const double v[3] = {0.7, -0.4, 0.15};
    const Eigen::Vector3d z(0, 0, 1);
    Eigen::MatrixXd sp(1, 3), pd(3, 5), dd(5, 5), sd(1, 5);
    slater_koster_block(0, 1, z, v, sp);
    BOOST_CHECK(sp.isApprox((Eigen::MatrixXd(1, 3) << 0, 0, 0.7).finished(), 1e-14));
    slater_koster_block(0, 2, z, v, sd);
    BOOST_CHECK(sd.isApprox((Eigen::MatrixXd(1, 5) << 0, 0, 0.7, 0, 0).finished(), 1e-14));
    slater_koster_block(1, 2, z, v, pd);
    BOOST_CHECK_SMALL(pd(2, 2) - 0.7, 1e-14);  // z with z2
    BOOST_CHECK_SMALL(pd(0, 3) + 0.4, 1e-14);  // x with xz
    BOOST_CHECK_SMALL(pd(1, 1) + 0.4, 1e-14);  // y with yz
    slater_koster_block(2, 2, z, v, dd);
    Eigen::VectorXd diagonal(5);
    diagonal << 0.15, -0.4, 0.7, -0.4, 0.15;
    BOOST_CHECK(dd.isApprox(Eigen::MatrixXd(diagonal.asDiagonal()), 1e-14));
}

BOOST_AUTO_TEST_CASE(contraction_and_its_gradient_belong_to_the_block) {
    std::srand(7);
    const double v[3] = {0.7, -0.4, 0.15};
    const Eigen::Vector3d u = Eigen::Vector3d(0.3, -0.8, 0.5).normalized();
    for (int l1 = 0; l1 <= 2; ++l1)
        for (int l2 = l1; l2 <= 2; ++l2) {
            const Eigen::MatrixXd weights = Eigen::MatrixXd::Random(2 * l1 + 1, 2 * l2 + 1);
            const auto contracted = [&](const Eigen::Vector3d& direction) {
                Eigen::MatrixXd block(2 * l1 + 1, 2 * l2 + 1);
                slater_koster_block(l1, l2, direction, v, block);
                return block.cwiseProduct(weights).sum();
            };
            const SlaterKosterContraction c = slater_koster_contraction(l1, l2, u, weights);
            double sum = 0;
            Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
            for (int m = 0; m <= l1; ++m) {
                sum += v[m] * c.k(m);
                gradient += v[m] * c.gradient.col(m);
            }
            BOOST_CHECK_SMALL(sum - contracted(u), 1e-13);
            // Turning u: only the part of the gradient perpendicular to u counts.
            for (int axis = 0; axis < 3; ++axis) {
                const double h = 1e-5;
                const Eigen::Vector3d step = h * Eigen::Vector3d::Unit(axis);
                const double slope =
                    (contracted((u + step).normalized()) - contracted((u - step).normalized())) / (2 * h);
                BOOST_CHECK_SMALL(slope - (gradient - u * u.dot(gradient))(axis), 1e-9);
            }
        }
}

BOOST_AUTO_TEST_SUITE_END()

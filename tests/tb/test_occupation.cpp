// SPDX-License-Identifier: Apache-2.0
// Electrons on levels, and grids of k-points.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/kpoints.hpp"
#include "stembridge/tb/occupation.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

std::vector<Eigen::MatrixXd> one_column(std::initializer_list<double> levels) {
    Eigen::MatrixXd e(static_cast<Eigen::Index>(levels.size()), 1);
    Eigen::Index i = 0;
    for (const double x : levels) e(i++, 0) = x;
    return {e};
}

const Eigen::VectorXd one = Eigen::VectorXd::Ones(1);

}  // namespace

BOOST_AUTO_TEST_SUITE(test_occupation)

BOOST_AUTO_TEST_CASE(cold_levels_fill_from_below_and_degenerate_ones_share) {
    const auto levels = one_column({-1.0, -0.5, -0.5, -0.5, 0.3});
    const Occupations closed = occupy(levels, one, {.number = 8});
    BOOST_TEST(closed.f[0](3, 0) == 2.0);
    BOOST_TEST(closed.f[0](4, 0) == 0.0);
    BOOST_TEST(closed.fermi_levels[0] == -0.1, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(closed.gap == 0.8, boost::test_tools::tolerance(1e-12));
    const Occupations open = occupy(levels, one, {.number = 4});
    for (int i = 1; i <= 3; ++i) BOOST_TEST(open.f[0](i, 0) == 2.0 / 3, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(open.fermi_levels[0] == -0.5, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(open.ts == 0.0);
    BOOST_TEST(open.band_energy == -3.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(free_energy_has_the_occupations_as_slopes) {
    // d(sum f e - TS)/de_i = f_i for every filling: what makes forces belong to the free energy.
    for (const Filling filling : {Filling::fermi, Filling::gaussian, Filling::methfessel_paxton}) {
        const Electrons electrons{.number = 5.3, .kT = 0.02, .filling = filling};
        const auto levels = one_column({-0.30, -0.11, -0.09, -0.07, 0.05});
        const Occupations o = occupy(levels, one, electrons);
        BOOST_CHECK_SMALL(o.f[0].sum() - 5.3, 1e-12);
        for (int i = 0; i < 5; ++i) {
            const auto free_energy = [&](double step) {
                auto moved = levels;
                moved[0](i, 0) += step;
                const Occupations m = occupy(moved, one, electrons);
                return m.band_energy - m.ts;
            };
            // The difference is off by h^2 / kT^2 times a number of order 0.1.
            BOOST_CHECK_SMALL(o.f[0](i, 0) - (free_energy(1e-5) - free_energy(-1e-5)) / 2e-5, 1e-7);
        }
    }
}

BOOST_AUTO_TEST_CASE(energy_at_zero_temperature_is_extrapolated_in_leading_order) {
    // A band from -1 to 1 with the density of states 1 + e / 2 + 3 e^2, filled to 0: a level for each
    // k-point, with the density as its weight. The sum over levels differs from the integral by 1e-9.
    constexpr int n = 8000;
    const Eigen::RowVectorXd e = (Eigen::RowVectorXd::LinSpaced(n, 0.5, n - 0.5) * 2 / n).array() - 1;
    const Eigen::VectorXd weights = (1 + e.array() / 2 + 3 * e.array().square()) * 2 / n;
    const double number = 2 * weights.head(n / 2).sum();
    const double cold = occupy({e}, weights, {.number = number}).band_energy;
    // What the extrapolation leaves of the error of the free energy: with Fermi and Gauss a share of the
    // order of (kT / width)^2; with Methfessel and Paxton nothing, as the density of states has no fourth
    // derivative.
    struct Case {
        Filling filling;
        double kT, left;
    };
    for (const auto& [filling, kT, left] : {Case{Filling::fermi, 0.01, 0.01},
                                            {Filling::gaussian, 0.02, 0.01},
                                            {Filling::methfessel_paxton, 0.1, 1e-3}}) {
        const Occupations warm = occupy({e}, weights, {.number = number, .kT = kT, .filling = filling});
        const double error = std::abs(warm.band_energy - warm.ts - cold);
        BOOST_TEST(error > 1e-5);
        BOOST_CHECK_SMALL(warm.band_energy - warm.ts + warm.ts_share_at_zero * warm.ts - cold, left * error);
    }
}

BOOST_AUTO_TEST_CASE(the_fermi_level_of_a_gap_is_its_middle) {
    const Occupations o = occupy(one_column({-0.5, -0.4, 0.2, 0.9}), one, {.number = 4, .kT = 0.001});
    BOOST_CHECK_SMALL(o.fermi_levels[0] + 0.1, 1e-12);
    BOOST_CHECK_SMALL(o.ts, 1e-12);
}

BOOST_AUTO_TEST_CASE(spins_share_a_fermi_level_or_keep_their_difference) {
    const std::vector<Eigen::MatrixXd> levels = {one_column({-0.5, -0.2, 0.1})[0],
                                                 one_column({-0.4, -0.1, 0.2})[0]};
    const Occupations fixed = occupy(levels, one, {.number = 3, .kT = 1e-3, .n_spins = 2, .unpaired = 1.0});
    BOOST_CHECK_SMALL(fixed.f[0].sum() - 2, 1e-12);
    BOOST_CHECK_SMALL(fixed.f[1].sum() - 1, 1e-12);
    const Occupations shared = occupy(levels, one, {.number = 3, .kT = 1e-3, .n_spins = 2});
    BOOST_CHECK_SMALL(shared.f[0].sum() + shared.f[1].sum() - 3, 1e-12);
    BOOST_TEST(shared.fermi_levels[0] == shared.fermi_levels[1]);
    BOOST_CHECK_THROW(occupy(levels, one, {.number = 3, .n_spins = 2, .unpaired = 5.0}), InputError);
    BOOST_CHECK_THROW(occupy(levels, one, {.number = 7, .n_spins = 2}), InputError);
    for (const double bad : {std::nan(""), HUGE_VAL})
        BOOST_CHECK_THROW(occupy(one_column({-1, bad}), one, {.number = 1, .kT = 0.01}), NumericalError);
}

BOOST_AUTO_TEST_CASE(kpoint_grids_follow_the_conventions) {
    Cell cell;
    cell.vectors = Eigen::Matrix3d::Identity() * 5;
    cell.periodic = {true, true, true};
    // Even Monkhorst-Pack grids avoid Gamma; k and -k are one point.
    const KPoints even = kpoint_grid({2, 2, 1}, false, cell);
    BOOST_TEST(even.size() == 2);
    BOOST_CHECK(even.points.cwiseAbs().topRows(2).isApproxToConstant(0.25));
    BOOST_TEST(even.points.row(2).isZero());
    const KPoints centred = kpoint_grid({2, 2, 1}, true, cell);
    BOOST_TEST(centred.size() == 4);
    BOOST_CHECK_SMALL(centred.points.colwise().norm().minCoeff(), 1e-15);
    const KPoints odd = kpoint_grid({3, 3, 3}, false, cell);
    BOOST_TEST(odd.size() == 14);
    BOOST_CHECK(kpoint_grid({3, 3, 3}, true, cell).points.isApprox(odd.points));
    for (const KPoints& k : {even, centred, odd}) BOOST_CHECK_SMALL(k.weights.sum() - 1, 1e-14);
    BOOST_TEST(kpoint_grid({1, 1, 1}, false, cell).only_gamma());
    cell.periodic[2] = false;
    BOOST_CHECK_THROW(kpoint_grid({1, 1, 2}, false, cell), InputError);
    BOOST_CHECK_THROW(kpoint_grid({0, 1, 1}, false, cell), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

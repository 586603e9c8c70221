// SPDX-License-Identifier: Apache-2.0
// Displacements, pair distances, melting and vibrations of trajectories whose answers are known.
#include "stembridge/md/trajectory_analysis.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>

#include "stembridge/base/errors.hpp"
#include "stembridge/md/dynamics.hpp"
#include "stembridge/md/vibrations.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double fs = units::femtosecond;
constexpr double cm1 = units::inverse_centimetre;

/// Fraction of a density of states between two frequencies.
double share(const VibrationalDensity& d, double low, double high) {
    double sum = 0;
    for (std::size_t k = 0; k < d.frequencies.size(); ++k)
        if (d.frequencies[k] >= low && d.frequencies[k] <= high)
            sum += d.density[k] * (d.frequencies[1] - d.frequencies[0]);
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_trajectory_analysis)

BOOST_AUTO_TEST_CASE(atoms_in_uniform_motion_move_as_the_square_of_time_along_their_axis) {
    // Half of the atoms go along x, half against it; y and z stand still. The cell is crossed many times.
    const Structure sheet = graphene_sheet(2, 2, true);
    std::vector<Structure> frames;
    for (int t = 0; t < 60; ++t) {
        Structure frame = sheet;
        for (int i = 0; i < sheet.size(); ++i) {
            frame.positions(0, i) += (i % 2 == 0 ? 0.5 : -0.5) * t;
            Eigen::Vector3d f = sheet.cell.vectors.inverse() * frame.positions.col(i);
            f(0) -= std::floor(f(0));
            frame.positions.col(i) = sheet.cell.vectors * f;
        }
        frames.push_back(frame);
    }
    const Eigen::Matrix3Xd msd = mean_square_displacements(unwrapped_frames(frames));
    for (int t = 0; t < 60; ++t) {
        BOOST_TEST(std::abs(msd(0, t) - 0.25 * t * t) < 1e-9);
        BOOST_TEST(msd(1, t) < 1e-20);
        BOOST_TEST(msd(2, t) < 1e-20);
    }
    // A drift of everything at once is none.
    Structure moved = sheet;
    moved.positions.colwise() += Eigen::Vector3d(1, 2, 3);
    BOOST_TEST(mean_square_displacements({sheet, moved}).norm() < 1e-20);
    // Where atoms are held along an axis, what the others do along it is motion: all but one by 1 bohr.
    Structure held = sheet;
    held.fixed = FixedMask::Constant(3, held.size(), false);
    held.fixed(0, 0) = true;
    Structure others = held;
    others.positions.rightCols(held.size() - 1).colwise() += Eigen::Vector3d(1, 0, 0);
    BOOST_TEST(mean_square_displacements({held, others})(0, 1) == 1 - 1.0 / held.size(),
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(mean_square_displacements(unwrapped_frames(frames), {0}).col(4)(0) == 4.0,
               boost::test_tools::tolerance(1e-9));
    BOOST_CHECK_THROW(mean_square_displacements({}), InputError);
    BOOST_CHECK_THROW(mean_square_displacements({sheet}, {99}), InputError);
}

BOOST_AUTO_TEST_CASE(pair_distances_of_graphene_are_its_shells) {
    const double d = 1.42 * units::angstrom;
    const Structure sheet = graphene_sheet(4, 3, true, d);
    const double width = 0.05 * units::angstrom;
    const auto all = radial_distributions({sheet, sheet}, 6 * units::angstrom, width);
    const RadialDistribution& cc = all.at("C-C");
    const auto number_below = [&](double r) {
        return cc.coordination[static_cast<std::size_t>(r / width) - 1];
    };
    // 3 neighbours at d, 6 at sqrt(3) d, 3 at 2 d.
    BOOST_TEST(number_below(1.5 * units::angstrom) == 3);
    BOOST_TEST(number_below(2.6 * units::angstrom) == 9);
    BOOST_TEST(number_below(3.0 * units::angstrom) == 12);
    double sum = 0;
    for (const double n : cc.neighbors) sum += n * width;
    BOOST_TEST(sum == cc.coordination.back(), boost::test_tools::tolerance(1e-12));
    // g is 1 on the average over many shells of a sheet: 2 pi r rho neighbours per bohr.
    const double rho = sheet.size() / sheet.cell.vector(0).cross(sheet.cell.vector(1)).norm();
    const double even = rho * std::numbers::pi * std::pow(6 * units::angstrom, 2);
    BOOST_TEST(cc.coordination.back() + 1 == even, boost::test_tools::tolerance(0.1));  // and the atom itself
    BOOST_REQUIRE(cc.g.size() == cc.neighbors.size());
    const std::size_t first = static_cast<std::size_t>(d / width);
    BOOST_TEST(
        cc.g[first] == 3 / width / (2 * std::numbers::pi * (static_cast<double>(first) + 0.5) * width * rho),
        boost::test_tools::tolerance(1e-9));
    BOOST_TEST(radial_distributions({graphene_sheet(2, 2, false)}, 5, 0.1).at("C-C").g.empty());
    BOOST_CHECK_THROW(radial_distributions({sheet}, 5, 0), InputError);
}

BOOST_AUTO_TEST_CASE(the_lindemann_index_of_independent_gaussian_displacements_is_known) {
    // Bond lengths along x vary by sqrt(2) sigma, and to first order only along the bond.
    Structure chain;
    for (int k = 0; k < 20; ++k) chain.add(6, {2.7 * k, 0, 0});
    const BondGraph graph(chain);
    std::vector<Structure> frames;
    for (std::uint64_t k = 0; k < 4000; ++k) frames.push_back(rattled(chain, 0.02, k + 1));
    const double exact = std::sqrt(2.0) * 0.02 / 2.7;
    // 19 bonds of 4000 samples, each deviation known to 1 / sqrt(8000).
    BOOST_TEST(lindemann_index(frames, graph.bonds()) == exact, boost::test_tools::tolerance(0.02));
    BOOST_TEST(lindemann_index({chain, chain}, graph.bonds()) == 0);
    BOOST_CHECK_THROW(lindemann_index({chain}, graph.bonds()), InputError);
    BOOST_CHECK_THROW(lindemann_index(frames, {}), InputError);
}

BOOST_AUTO_TEST_CASE(two_oscillators_give_two_lines_as_strong_as_their_energies) {
    // Independent atoms with v = v0 cos(omega t): half of the density at each, by their kinetic energies.
    Structure atoms;
    atoms.add(6, {0, 0, 0});
    atoms.add(6, {20, 0, 0});
    const double slow = 500 * cm1, fast = 1500 * cm1, dt = 2 * fs;
    std::vector<Structure> frames;
    for (int t = 0; t < 4000; ++t) {
        Structure frame = atoms;
        frame.velocities = Eigen::Matrix3Xd::Zero(3, 2);
        frame.velocities(0, 0) = std::cos(slow * t * dt);
        frame.velocities(1, 1) = std::sqrt(3.0) * std::cos(fast * t * dt + 0.7);
        frames.push_back(frame);
    }
    const VibrationalDensity d = vibrational_density(frames, dt, 1000);
    BOOST_TEST(d.highest / cm1 == 8339.1, boost::test_tools::tolerance(1e-4));  // 1 / (2 c 2 fs)
    BOOST_TEST(share(d, 0, d.highest) == 1.0, boost::test_tools::tolerance(0.01));
    // What leaks out of the window and the rectified side lobes are some per cent.
    BOOST_TEST(share(d, slow - 2 * d.resolution, slow + 2 * d.resolution) == 0.25,
               boost::test_tools::tolerance(0.06));
    BOOST_TEST(share(d, fast - 2 * d.resolution, fast + 2 * d.resolution) == 0.75,
               boost::test_tools::tolerance(0.06));
    const VibrationalDensity second = vibrational_density(frames, dt, 1000, {1});
    const auto top = std::max_element(second.density.begin(), second.density.end()) - second.density.begin();
    BOOST_TEST(second.frequencies[static_cast<std::size_t>(top)] / cm1 == 1500.0,
               boost::test_tools::tolerance(0.005));
    // Half of the height half of the resolution away.
    const auto off = static_cast<std::size_t>(std::lround(
        static_cast<double>(top) + second.resolution / 2 / (second.frequencies[1] - second.frequencies[0])));
    BOOST_TEST(second.density[off] / second.density[static_cast<std::size_t>(top)] == 0.5,
               boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(the_density_of_a_cold_sheet_of_springs_is_that_of_its_normal_modes) {
    const Structure sheet = graphene_sheet(1, 2, true);
    SpringCalculator springs(sheet);
    HessianCalculation hessian(sheet, springs);
    hessian.run();
    const NormalModes modes = normal_modes(sheet, hessian.hessian());
    DynamicsOptions options;
    options.ensemble = "langevin";  // heat in every mode; weak, so that lines stay narrow
    options.friction = 2e-4 / fs;
    options.temperature = 10 * units::kelvin;
    MolecularDynamics md(sheet, springs, options);
    std::vector<Structure> frames;
    md.run(60000, [&](const DynamicsObservables& now) {
        if (now.step % 3 == 0) frames.push_back(md.structure());
    });
    const VibrationalDensity d = vibrational_density(frames, 3 * fs, 1000);
    // Cumulative densities agree: equipartition gives every mode the same kinetic energy, which a Langevin
    // run of 12 correlation times shares out to about 1 / sqrt(12 x modes).
    for (const double edge : {400 * cm1, 900 * cm1, 1400 * cm1}) {
        const double exact = static_cast<double>((modes.frequencies.array() < edge).count()) + 3;
        BOOST_TEST(std::abs(share(d, 0, edge) - exact / (modes.n_modes() + 3)) < 0.12);
    }
    BOOST_TEST(share(d, modes.frequencies.maxCoeff() + 3 * d.resolution, d.highest) < 0.02);
}

BOOST_AUTO_TEST_CASE(trajectories_that_cannot_be_analysed_are_refused) {
    const Structure sheet = graphene_sheet(1, 2, true);
    BOOST_CHECK_THROW(vibrational_density(std::vector<Structure>(20, sheet), 1),
                      InputError);  // no velocities
    Structure moving = sheet;
    moving.velocities = Eigen::Matrix3Xd::Ones(3, sheet.size());
    BOOST_CHECK_THROW(vibrational_density(std::vector<Structure>(7, moving), 1), InputError);
    BOOST_CHECK_THROW(vibrational_density(std::vector<Structure>(20, moving), 0), InputError);
    BOOST_CHECK_THROW(unwrapped_frames({sheet, graphene_sheet(2, 2, true)}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Baths one by one where their effect is known exactly: a gas without forces, ramps, the way from 0 K.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/md/dynamics.hpp"
#include "stembridge/md/observables.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double fs = units::femtosecond;
constexpr double kT = 300 * units::kelvin;

/// Atoms that feel nothing, so that a bath acts alone.
struct Gas {
    Structure atoms = graphene_sheet(2, 3, false);  // 24 atoms, 69 degrees of freedom
    WellCalculator nothing{0};
};

DynamicsOptions bath(const std::string& ensemble, double start, double target) {
    DynamicsOptions options;
    options.ensemble = ensemble;
    options.temperature = target;
    options.start_temperature = start;
    options.exact_start_temperature = true;
    options.thermostat_time = 50 * fs;
    return options;
}

/// Atoms that share out heat well enough to follow a ramp, in equilibrium at a temperature.
Structure anharmonic_droplet(double temperature) {
    Structure droplet = rattled(graphene_sheet(1, 2, false), 0.3);
    droplet.fixed = FixedMask::Constant(3, droplet.size(), false);
    droplet.fixed.leftCols(1).setConstant(true);
    droplet.fixed.rightCols(2).setConstant(true);
    MorseCalculator morse(0.04, 0.7, 3.0);
    DynamicsOptions options = bath("langevin", temperature, temperature);
    options.timestep = 0.5 * fs;
    options.friction = 0.02 / fs;
    MolecularDynamics md(droplet, morse, options);
    md.run(4000);  // the heat of the first, rattled structure goes into the bath
    return md.structure();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_thermostats)

BOOST_AUTO_TEST_CASE(a_berendsen_bath_pulls_the_temperature_in_by_the_same_share_each_step) {
    Gas gas;
    MolecularDynamics md(gas.atoms, gas.nothing, bath("berendsen", 3 * kT, kT));
    // T_n - T_0 = (T_start - T_0) (1 - dt / tau)^n
    md.run(200, [](const DynamicsObservables& now) {
        const double exact = kT + 2 * kT * std::pow(1 - 1.0 / 50, static_cast<double>(now.step));
        BOOST_TEST(now.temperature == exact, boost::test_tools::tolerance(1e-10));
    });
}

BOOST_AUTO_TEST_CASE(rescaling_gives_the_exact_temperature_every_so_many_steps) {
    const Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    DynamicsOptions options = bath("rescale", 2 * kT, kT);
    options.rescale_every = 5;
    MolecularDynamics md(sheet, springs, options);
    int exact = 0;
    md.run(100, [&](const DynamicsObservables& now) {
        const bool at_target = std::abs(now.temperature / kT - 1) < 1e-12;
        BOOST_TEST(at_target == (now.step % 5 == 0));
        exact += at_target;
    });
    BOOST_TEST(exact == 20);
}

BOOST_AUTO_TEST_CASE(random_rescaling_of_a_gas_is_canonical_with_its_correlation_time) {
    // Without forces K follows an Ornstein-Uhlenbeck-like process: mean N_f kT/2, variance N_f (kT)^2/2 and
    // autocorrelation exp(-t / tau), whatever the time step.
    for (const double timestep : {1 * fs, 20 * fs}) {
        Gas gas;
        DynamicsOptions options = bath("bussi", kT, kT);
        options.timestep = timestep;
        options.largest_move = 1e9;
        MolecularDynamics md(gas.atoms, gas.nothing, options);
        const int n_f = md.degrees_of_freedom();
        const auto steps = std::lround(4e5 * fs / timestep);  // 8000 correlation times
        const auto lag = static_cast<std::size_t>(std::lround(40 * fs / timestep));
        std::vector<double> kinetic;
        md.run(steps, [&](const DynamicsObservables& now) { kinetic.push_back(now.kinetic); });
        const Eigen::Map<const Eigen::ArrayXd> k(kinetic.data(), static_cast<Eigen::Index>(kinetic.size()));
        const double mean = k.mean(), variance = (k - mean).square().mean();
        const auto n = static_cast<Eigen::Index>(kinetic.size() - lag);
        const double covariance = ((k.head(n) - mean) * (k.tail(n) - mean)).mean();
        // 8000 / 2 independent samples: the mean to sqrt(2 / n_f / 4000) = 0.3 %, the variance to
        // sqrt(2 / 4000) = 2.3 %; four standard deviations each.
        BOOST_TEST(mean / (n_f * kT / 2) == 1.0, boost::test_tools::tolerance(0.012));
        BOOST_TEST(variance / (n_f * kT * kT / 2) == 1.0, boost::test_tools::tolerance(0.1));
        BOOST_TEST(covariance / variance == std::exp(-40.0 / 50), boost::test_tools::tolerance(0.1));
    }
}

BOOST_AUTO_TEST_CASE(a_berendsen_bath_is_not_canonical_which_is_why_it_is_for_heating_only) {
    const Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    DynamicsOptions options = bath("berendsen", kT, kT);
    options.thermostat_time = 5 * fs;
    MolecularDynamics md(sheet, springs, options);
    md.run(1000);
    std::vector<double> kinetic;
    md.run(6000, [&](const DynamicsObservables& now) { kinetic.push_back(now.kinetic); });
    const Eigen::Map<const Eigen::ArrayXd> k(kinetic.data(), static_cast<Eigen::Index>(kinetic.size()));
    const double canonical = md.degrees_of_freedom() * kT * kT / 2;
    BOOST_TEST((k - k.mean()).square().mean() < 0.5 * canonical);
}

BOOST_AUTO_TEST_CASE(a_schedule_is_made_of_straight_lines) {
    const TemperatureSchedule schedule({{0, 1}, {10, 3}, {20, 3}, {40, 2}});
    for (const auto& [time, exact] :
         {std::pair{-5.0, 1.0}, {0.0, 1.0}, {5.0, 2.0}, {10.0, 3.0}, {15.0, 3.0}, {30.0, 2.5}, {99.0, 2.0}})
        BOOST_TEST(schedule.at(time) == exact);
    BOOST_TEST(schedule.highest() == 3);
    BOOST_TEST(schedule.lowest() == 1);
    BOOST_TEST(TemperatureSchedule(2.0).at(7) == 2.0);
    BOOST_CHECK_THROW(TemperatureSchedule(std::vector<TemperaturePoint>{}), InputError);
    BOOST_CHECK_THROW(TemperatureSchedule({{0, 1}, {0, 2}}), InputError);
    BOOST_CHECK_THROW(TemperatureSchedule({{0, -1}}), InputError);
}

BOOST_AUTO_TEST_CASE(every_bath_follows_a_ramp_and_accounts_for_its_heat) {
    const Structure droplet = anharmonic_droplet(300 * units::kelvin);
    for (const std::string ensemble : {"nvt", "langevin", "berendsen", "bussi", "rescale"}) {
        MorseCalculator morse(0.04, 0.7, 3.0);
        DynamicsOptions options = bath(ensemble, 300 * units::kelvin, 0);
        options.timestep = 0.25 * fs;
        options.thermostat_period = 30 * fs;
        options.friction = 0.02 / fs;
        options.schedule = {{0, 300 * units::kelvin}, {2000 * fs, 900 * units::kelvin}};
        MolecularDynamics md(droplet, morse, options);
        const double conserved = md.observables().conserved;
        double first = 0, last = 0, drift = 0;
        md.run(16000, [&](const DynamicsObservables& now) {
            const double fraction = std::min(1.0, now.time / (2000 * fs));
            BOOST_TEST(now.target == (300 + 600 * fraction) * units::kelvin,
                       boost::test_tools::tolerance(1e-9));
            if (now.step <= 1600) first += now.temperature / 1600;
            if (now.step > 12000) last += now.temperature / 4000;
            drift = std::max(drift, std::abs(now.conserved - conserved));
        });
        // The means over 0.4 ps at 360 K and over 1 ps at 900 K of 15 degrees of freedom: some ten
        // independent samples of relative width sqrt(2 / 15) = 0.37 each.
        BOOST_TEST_MESSAGE(ensemble << ": " << first / units::kelvin << " K, then " << last / units::kelvin
                                    << " K, conserved to " << drift);
        BOOST_TEST(first < 600 * units::kelvin);
        BOOST_TEST(last == 900 * units::kelvin, boost::test_tools::tolerance(0.35));
        // 15 kT of heat were taken up; the steps of the integrator lose a hundredth of that at most.
        BOOST_TEST(drift < 0.01 * 15 * 600 * units::kelvin);
    }
}

BOOST_AUTO_TEST_CASE(every_bath_heats_a_structure_at_rest_up_from_0_K) {
    const Structure sheet = graphene_sheet(2, 2, true);
    for (const std::string ensemble : {"nvt", "langevin", "berendsen", "bussi", "rescale"}) {
        SpringCalculator springs(sheet);
        DynamicsOptions options = bath(ensemble, 0, 0);
        options.exact_start_temperature = false;
        options.friction = 0.02 / fs;
        options.schedule = {{0, 0}, {300 * fs, kT}};
        MolecularDynamics md(sheet, springs, options);
        BOOST_TEST(md.observables().temperature < 3 * units::kelvin);
        BOOST_TEST((md.observables().temperature == 0) == (ensemble == "langevin"));
        md.run(800);
        double last = 0;
        md.run(1800, [&](const DynamicsObservables& now) { last += now.temperature / 1000; });
        // 45 degrees of freedom over 1 ps; a harmonic sheet shares out the heat of a chain badly.
        BOOST_TEST(last == kT, boost::test_tools::tolerance(0.3));
    }
}

BOOST_AUTO_TEST_CASE(a_restart_within_a_ramp_continues_to_the_same_bits) {
    const Structure sheet = graphene_sheet(2, 2, true);
    for (const std::string& ensemble : ensembles()) {
        SpringCalculator springs(sheet);
        DynamicsOptions options = bath(ensemble, kT, 0);
        options.schedule = {{0, kT}, {10 * fs, 3 * kT}, {30 * fs, kT}};
        MolecularDynamics whole(sheet, springs, options);
        whole.run(17);
        const State state = whole.save();
        whole.run(40);
        MolecularDynamics resumed(sheet, springs, options);
        resumed.restore(state);
        resumed.run(40);
        BOOST_TEST((resumed.save().values() == whole.save().values()), ensemble);
    }
}

BOOST_AUTO_TEST_SUITE_END()

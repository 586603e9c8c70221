// SPDX-License-Identifier: Apache-2.0
// The integrators as integrators: order, reversibility, conservation, restart, refusals.
#include "stembridge/md/dynamics.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stop_token>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/md/observables.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double fs = units::femtosecond;

DynamicsOptions with_ensemble(const std::string& ensemble) {
    DynamicsOptions options;
    options.ensemble = ensemble;
    return options;
}

/// Root mean square deviation of the conserved quantity from its start, over 200 fs.
double conservation_error(const std::string& ensemble, double timestep) {
    const Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    DynamicsOptions options = with_ensemble(ensemble);
    options.timestep = timestep;
    MolecularDynamics md(sheet, springs, options);
    const double start = md.observables().conserved;
    double squares = 0;
    const auto steps = std::lround(200 * fs / timestep);
    md.run(steps, [&](const DynamicsObservables& now) { squares += std::pow(now.conserved - start, 2); });
    return std::sqrt(squares / static_cast<double>(steps));
}

Structure with_some_fixed(Structure structure) {
    structure.fixed = FixedMask::Constant(3, structure.size(), false);
    structure.fixed.col(3).setConstant(true);
    structure.fixed(2, 5) = true;
    structure.fixed(0, 6) = structure.fixed(1, 6) = true;
    return structure;
}

Eigen::Vector3d momentum(const Structure& s) {
    return s.velocities * s.masses();
}

Eigen::Vector3d angular_momentum(const Structure& s) {
    const Eigen::VectorXd m = s.masses();
    const Eigen::Vector3d center = s.positions * m / m.sum();
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    for (int i = 0; i < s.size(); ++i)
        sum += m(i) * (s.positions.col(i) - center).cross(Eigen::Vector3d(s.velocities.col(i)));
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_dynamics)

BOOST_AUTO_TEST_CASE(the_error_of_the_conserved_quantity_falls_as_the_square_of_the_time_step) {
    for (const std::string ensemble : {"nve", "nvt", "berendsen"}) {
        // Bonds vibrate with a period of 20 fs: with 0.2 fs and less, terms beyond dt^2 are below 1 %.
        const double coarse = conservation_error(ensemble, 0.2 * fs);
        const double fine = conservation_error(ensemble, 0.1 * fs);
        const double finest = conservation_error(ensemble, 0.05 * fs);
        BOOST_TEST_MESSAGE(ensemble << ": " << coarse << " " << fine << " " << finest << " hartree");
        BOOST_TEST(coarse / fine == 4.0, boost::test_tools::tolerance(0.05));
        BOOST_TEST(fine / finest == 4.0, boost::test_tools::tolerance(0.05));
        // Small against the heat in it, 45 kT/2.
        BOOST_TEST(coarse < 1e-3 * 45 * 300 * units::kelvin / 2);
    }
}

BOOST_AUTO_TEST_CASE(a_chain_heats_a_large_system_that_starts_far_from_its_temperature) {
    // From a relaxed sheet half of the start's kinetic energy goes into the springs at once, and the second
    // thermostat is driven N_f times harder than in a small one.
    const Structure sheet = graphene_sheet(16, 16, true);
    SpringCalculator springs(sheet);
    DynamicsOptions options = with_ensemble("nvt");
    options.timestep = fs;
    MolecularDynamics md(sheet, springs, options);
    const double start = md.observables().conserved;
    const double kinetic = 0.5 * md.degrees_of_freedom() * options.temperature;
    double mean = 0, worst = 0;
    constexpr int steps = 600, late = 300;
    int done = 0;
    md.run(steps, [&](const DynamicsObservables& now) {
        worst = std::max(worst, std::abs(now.conserved - start));
        if (++done > steps - late) mean += now.kinetic / late;
    });
    BOOST_TEST(worst < 0.02 * kinetic);
    BOOST_TEST(mean == kinetic, boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(verlet_follows_an_oscillator) {
    // x(t) = x0 cos(omega t); the phase error of velocity Verlet after time t is omega t (omega dt)^2 / 24.
    Structure atom;
    atom.add(6, {0.1, 0, 0});
    atom.velocities = Eigen::Vector3d::Zero();
    WellCalculator well(0.3);
    DynamicsOptions options = with_ensemble("nve");
    options.hold_center_of_mass = false;
    options.timestep = 0.1 * fs;
    MolecularDynamics md(atom, well, options);
    md.run(1000);
    const double omega = std::sqrt(0.3 / atom.masses()(0)), t = 1000 * options.timestep;
    const double phase_error = omega * t * std::pow(omega * options.timestep, 2) / 24;
    BOOST_TEST(std::abs(md.structure().positions(0, 0) - 0.1 * std::cos(omega * t)) <
               0.1 * 1.1 * phase_error);
    BOOST_TEST(phase_error < 0.01);
    BOOST_TEST(md.observables().time == t, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(turned_around_it_goes_back_to_where_it_started) {
    const Structure cluster = graphene_sheet(2, 2, false);
    SpringCalculator springs(cluster);
    for (const std::string ensemble : {"nve", "nvt"}) {
        DynamicsOptions options = with_ensemble(ensemble);
        MolecularDynamics forth(cluster, springs, options);
        forth.run(300);
        BOOST_TEST((forth.structure().positions - cluster.positions).norm() > 0.1);
        // Every velocity is turned around, the thermostats' too.
        State state = forth.save();
        state.put("velocities", -forth.structure().velocities);
        if (ensemble == "nvt") state.put("thermostat/v", Eigen::MatrixXd(-state.matrix("thermostat/v", 1)));
        MolecularDynamics back(cluster, springs, options);
        back.restore(state);
        back.run(600);
        // Rounding of 1e-15, grown by 600 steps of a nearly harmonic motion.
        BOOST_TEST((back.structure().positions - cluster.positions).norm() < 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(a_restart_after_any_step_continues_to_the_same_bits) {
    const Structure first = graphene_sheet(2, 2, false);
    const Structure start = with_some_fixed(first);
    SpringCalculator springs(first);
    for (const std::string& ensemble : ensembles()) {
        DynamicsOptions options = with_ensemble(ensemble);
        NoisyCalculator noisy(springs, 1e-6, 1e-6);
        MolecularDynamics whole(start, noisy, options, seeded(11));
        std::vector<State> states = {whole.save()};
        std::vector<DynamicsObservables> seen;
        for (int n = 0; n < 40; ++n) {
            whole.step();
            seen.push_back(whole.observables());
            states.push_back(whole.save());
        }
        for (std::size_t k = 0; k < states.size(); k += 4) {
            NoisyCalculator again(springs, 1e-6, 1e-6, 99);
            MolecularDynamics resumed(start, again, options, seeded(12));
            resumed.restore(states[k]);
            BOOST_TEST(resumed.step_count() == static_cast<std::int64_t>(k));
            resumed.run(40, [&](const DynamicsObservables& now) {
                const DynamicsObservables& then = seen[static_cast<std::size_t>(now.step) - 1];
                BOOST_REQUIRE(now.conserved == then.conserved);
                BOOST_REQUIRE(now.temperature == then.temperature);
                BOOST_REQUIRE(now.time == then.time);
            });
            BOOST_TEST(same_bits(resumed.structure().positions, whole.structure().positions));
            BOOST_TEST(same_bits(resumed.structure().velocities, whole.structure().velocities));
            BOOST_TEST((resumed.save().values() == whole.save().values()));
        }
    }
}

BOOST_AUTO_TEST_CASE(fixed_coordinates_do_not_move_by_a_single_bit) {
    const Structure sheet = with_some_fixed(rattled(graphene_sheet(2, 2, false), 0.05));
    SpringCalculator springs(graphene_sheet(2, 2, false));
    for (const std::string& ensemble : ensembles()) {
        Structure pushed = sheet;
        pushed.velocities = Eigen::Matrix3Xd::Constant(3, sheet.size(), 1e-4);
        for (const Structure& start : {sheet, pushed}) {
            MolecularDynamics md(start, springs, with_ensemble(ensemble));
            md.run(100);
            for (int atom = 0; atom < sheet.size(); ++atom)
                for (int axis = 0; axis < 3; ++axis) {
                    const bool same = same_bits(md.structure().positions.block(axis, atom, 1, 1),
                                                sheet.positions.block(axis, atom, 1, 1));
                    BOOST_TEST(same == sheet.is_fixed(axis, atom));
                    if (sheet.is_fixed(axis, atom)) BOOST_TEST(md.structure().velocities(axis, atom) == 0.0);
                }
        }
    }
}

BOOST_AUTO_TEST_CASE(momentum_is_conserved_and_held_at_zero_when_asked_for) {
    const Structure cluster = rattled(graphene_sheet(1, 2, false), 0.1);
    MorseCalculator morse(0.05, 0.7, 3.0);
    DynamicsOptions options = with_ensemble("nve");
    options.hold_center_of_mass = false;
    MolecularDynamics free(cluster, morse, options);
    const Eigen::Vector3d p = momentum(free.structure()), l = angular_momentum(free.structure());
    BOOST_TEST(p.norm() > 1);
    free.run(500);
    // Rounding of 500 steps on a momentum of order 10.
    BOOST_TEST((momentum(free.structure()) - p).norm() < 1e-10);
    BOOST_TEST((angular_momentum(free.structure()) - l).norm() < 1e-9);

    for (const std::string ensemble : {"nve", "nvt"}) {
        options = with_ensemble(ensemble);
        options.hold_rotation = true;
        NoisyCalculator noisy(morse, 0, 1e-5);  // forces that do not add up to zero
        MolecularDynamics held(cluster, noisy, options);
        held.run(500);
        BOOST_TEST(momentum(held.structure()).norm() < 1e-11);
        BOOST_TEST(angular_momentum(held.structure()).norm() < 1e-10);
        const Eigen::VectorXd m = cluster.masses();
        const Eigen::Vector3d shift = (held.structure().positions - cluster.positions) * m / m.sum();
        BOOST_TEST(shift.norm() < 1e-10);
    }
}

BOOST_AUTO_TEST_CASE(degrees_of_freedom_leave_out_what_is_fixed_or_held) {
    const Structure cluster = graphene_sheet(1, 2, false);  // 8 atoms
    BOOST_TEST(degrees_of_freedom(cluster, false, false) == 24);
    BOOST_TEST(degrees_of_freedom(cluster, true, false) == 21);
    BOOST_TEST(degrees_of_freedom(cluster, true, true) == 18);
    BOOST_TEST(degrees_of_freedom(graphene_sheet(1, 2, true), true, true) == 21);

    Structure rim = cluster;  // two atoms fixed in the plane: z is still free for all
    rim.fixed = FixedMask::Constant(3, 8, false);
    rim.fixed.block(0, 0, 2, 2).setConstant(true);
    BOOST_TEST(degrees_of_freedom(rim, true, true) == 24 - 4 - 1);

    Structure linear;
    for (int k = 0; k < 3; ++k) linear.add(6, Eigen::Vector3d(1, 2, 2) * k);
    BOOST_TEST(degrees_of_freedom(linear, true, true) == 9 - 6);  // as it bends, nothing turns about its axis
    BOOST_TEST(degrees_of_freedom(linear.selected({0, 1}), true, true) == 6 - 5);

    SpringCalculator springs(cluster);
    BOOST_TEST(MolecularDynamics(cluster, springs, with_ensemble("nvt")).degrees_of_freedom() == 21);
    BOOST_TEST(MolecularDynamics(cluster, springs, with_ensemble("langevin")).degrees_of_freedom() == 24);
}

BOOST_AUTO_TEST_CASE(first_velocities_have_the_temperature_asked_for) {
    const double kT = 1000 * units::kelvin;
    Structure big = graphene_sheet(20, 25, true);  // 2000 atoms
    for (int i = 0; i < big.size(); i += 2) big.atomic_numbers[static_cast<std::size_t>(i)] = 1;
    big.fixed = FixedMask::Constant(3, big.size(), false);
    big.fixed.block(0, 0, 3, 100).setConstant(true);
    big.velocities = maxwell_boltzmann_velocities(big, kT, 3);
    const int n_f = degrees_of_freedom(big, true, false);
    BOOST_TEST(n_f == 3 * 1900);
    // Standard deviation of the temperature: sqrt(2 / n_f) = 1.9 %; five of them.
    BOOST_TEST(std::abs(kinetic_temperature(kinetic_energy(big), n_f) / kT - 1) < 5 * std::sqrt(2.0 / n_f));
    BOOST_TEST((big.velocities.leftCols(100).array() == 0).all());
    // Each element for itself: m <v^2> = 3 kT, 950 atoms, sqrt(2 / 2850) = 2.6 %.
    double heat_h = 0;
    for (int i = 100; i < big.size(); i += 2)
        heat_h += atomic_mass(1) * big.velocities.col(i).squaredNorm() / (3 * 950);
    BOOST_TEST(std::abs(heat_h / kT - 1) < 5 * std::sqrt(2.0 / 2850));

    BOOST_TEST(same_bits(big.velocities, maxwell_boltzmann_velocities(big, kT, 3)));
    BOOST_TEST(!same_bits(big.velocities, maxwell_boltzmann_velocities(big, kT, 4)));

    Structure cluster = graphene_sheet(1, 2, false);
    cluster.velocities = maxwell_boltzmann_velocities(cluster, kT, 5, true, true, true);
    BOOST_TEST(kinetic_temperature(kinetic_energy(cluster), 18) == kT, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(momentum(cluster).norm() < 1e-12);
    BOOST_TEST(angular_momentum(cluster).norm() < 1e-11);
    BOOST_TEST((maxwell_boltzmann_velocities(cluster, 0, 5, true, true, true).array() == 0).all());
}

BOOST_AUTO_TEST_CASE(velocities_of_the_structure_are_used_and_the_centre_of_mass_stopped) {
    Structure cluster = graphene_sheet(1, 2, false);
    SpringCalculator springs(cluster);
    cluster.velocities = Eigen::Matrix3Xd::Zero(3, 8);
    cluster.velocities(2, 0) = 8e-4;
    const MolecularDynamics md(cluster, springs, with_ensemble("nvt"));
    BOOST_TEST(md.structure().velocities(2, 0) == 7e-4, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(md.structure().velocities(2, 1) == -1e-4, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_time_step_that_is_too_long_ends_with_advice_and_the_last_good_step) {
    const Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    for (const std::string& ensemble : ensembles()) {
        DynamicsOptions options = with_ensemble(ensemble);
        options.timestep = 30 * fs;
        options.thermostat_period = 1000 * fs;
        MolecularDynamics md(sheet, springs, options);
        BOOST_CHECK_EXCEPTION(md.run(1000), NumericalError, [](const NumericalError& error) {
            const std::string what = error.what();
            return what.find("time step smaller than 30 fs") != std::string::npos;
        });
        const State kept = md.save();
        BOOST_TEST(md.step_count() < 1000);
        BOOST_TEST(md.structure().velocities.allFinite());
        // The step that failed left nothing behind: it fails again in the same way from the same bits.
        BOOST_CHECK_THROW(md.step(), NumericalError);
        const State after = md.save();
        for (const auto& [name, value] : kept.values())
            BOOST_TEST((after.values().at(name) == value), ensemble << " " << name);
    }
}

BOOST_AUTO_TEST_CASE(an_atom_that_moves_absurdly_is_named) {
    Structure sheet = graphene_sheet(1, 2, true);
    SpringCalculator springs(sheet);
    sheet.velocities = Eigen::Matrix3Xd::Zero(3, sheet.size());
    sheet.velocities(2, 4) = 0.05;  // 2 bohr in a step of 1 fs = 41 atomic time units
    MolecularDynamics md(sheet, springs, with_ensemble("nve"));
    BOOST_CHECK_EXCEPTION(md.step(), NumericalError, [](const NumericalError& error) {
        const std::string what = error.what();
        return what.find("atom 5 (C) moved by") != std::string::npos &&
               what.find("time step smaller than 1 fs") != std::string::npos;
    });
    BOOST_TEST(springs.calls() == 1);  // the calculator never sees such a structure
}

BOOST_AUTO_TEST_CASE(forces_that_are_not_numbers_are_refused) {
    class Broken : public WellCalculator {
      public:
        Broken() : WellCalculator(0.1) {}
        void evaluate(const Structure& s, Wanted wanted, Evaluation& out, const Context& context) override {
            WellCalculator::evaluate(s, wanted, out, context);
            if (calls_++ == 3) out.energy = std::numeric_limits<double>::infinity();
        }

      private:
        int calls_ = 0;
    };
    Broken broken;
    MolecularDynamics md(graphene_sheet(1, 1, false), broken, with_ensemble("nve"));
    BOOST_CHECK_THROW(md.run(10), NumericalError);
    BOOST_TEST(md.step_count() == 2);
}

BOOST_AUTO_TEST_CASE(it_stops_on_request) {
    const Structure sheet = graphene_sheet(1, 2, true);
    SpringCalculator springs(sheet);
    std::stop_source source;
    Context context;
    context.stop = source.get_token();
    MolecularDynamics md(sheet, springs, {}, context);
    const bool finished = md.run(100, [&](const DynamicsObservables& now) {
        if (now.step == 7) source.request_stop();
    });
    BOOST_TEST(!finished);
    BOOST_TEST(md.step_count() == 7);
    MolecularDynamics resumed(sheet, springs, {});
    resumed.restore(md.save());
    BOOST_TEST(resumed.run(100));
    BOOST_TEST(resumed.step_count() == 100);
}

BOOST_AUTO_TEST_CASE(a_wavenumber_is_a_period) {
    // 1000 1/cm: period 1 / (c 1000/cm) = 33.356 fs
    const double period = period_of_wavenumber(1000 * units::inverse_centimetre);
    BOOST_TEST(period / fs == 33.3564, boost::test_tools::tolerance(1e-5));
    BOOST_CHECK_THROW(period_of_wavenumber(0), InputError);
}

BOOST_AUTO_TEST_CASE(senseless_options_and_foreign_checkpoints_are_refused) {
    const Structure sheet = graphene_sheet(1, 2, true);
    SpringCalculator springs(sheet);
    const auto refused = [&](auto change) {
        DynamicsOptions options;
        change(options);
        BOOST_CHECK_THROW(MolecularDynamics(sheet, springs, options), InputError);
    };
    refused([](DynamicsOptions& o) { o.ensemble = "npt"; });
    refused([](DynamicsOptions& o) { o.timestep = 0; });
    refused([](DynamicsOptions& o) { o.temperature = -1; });
    refused([](DynamicsOptions& o) { o.temperature = 0; });
    refused([](DynamicsOptions& o) { o.thermostat_period = o.timestep; });
    refused([](DynamicsOptions& o) { o.start_temperature = -1; });
    refused([](DynamicsOptions& o) { o.schedule = {{0, 1e-3}, {0, 2e-3}}; });
    refused([](DynamicsOptions& o) { o.schedule = {{0, -1e-3}}; });
    refused([](DynamicsOptions& o) { o.schedule = {{0, 0}, {100, 0}}; });
    for (const std::string ensemble : {"berendsen", "bussi"})
        refused([&](DynamicsOptions& o) {
            o.ensemble = ensemble;
            o.thermostat_time = o.timestep / 2;
        });
    refused([](DynamicsOptions& o) {
        o.ensemble = "rescale";
        o.rescale_every = 0;
    });
    refused([](DynamicsOptions& o) { o.chain_length = 0; });
    refused([](DynamicsOptions& o) { o.suzuki_yoshida_order = 4; });
    refused([](DynamicsOptions& o) {
        o.ensemble = "langevin";
        o.friction = 0;
    });
    BOOST_CHECK_THROW(MolecularDynamics(Structure{}, springs, {}), InputError);
    Structure frozen = sheet;
    frozen.fixed = FixedMask::Constant(3, sheet.size(), true);
    BOOST_CHECK_THROW(MolecularDynamics(frozen, springs, {}), InputError);
    Structure wild = sheet;
    wild.velocities = Eigen::Matrix3Xd::Constant(3, sheet.size(), std::nan(""));
    BOOST_CHECK_THROW(MolecularDynamics(wild, springs, {}), InputError);

    MolecularDynamics md(sheet, springs, {});
    md.step();
    BOOST_CHECK_THROW(MolecularDynamics(sheet, springs, with_ensemble("nve")).restore(md.save()), FileError);
    BOOST_CHECK_THROW(MolecularDynamics(graphene_sheet(2, 1, false), springs, {}).restore(State{}),
                      FileError);
    Structure other = sheet;
    other.atomic_numbers[0] = 7;
    BOOST_CHECK_THROW(MolecularDynamics(other, springs, {}).restore(md.save()), FileError);
    DynamicsOptions longer;
    longer.chain_length = 4;
    BOOST_CHECK_THROW(MolecularDynamics(sheet, springs, longer).restore(md.save()), FileError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Charges that follow the atoms: their energy and forces belong together though they are not self-consistent.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"
#include "synthetic.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using testing::crystal;
using testing::molecule;

namespace {

struct Set {
    testing::TemporaryFolder folder;
    Set() { testing::write_synthetic_set(folder.path()); }
    SccDftbOptions options(double temperature_k = 2000) const {
        SccDftbOptions o = testing::synthetic_options(folder.path(), temperature_k);
        o.scc.cycles_per_step = 1;
        return o;
    }
};

constexpr int steps_to_know = 6;  // before the charges are on their own

Evaluation evaluate(SccDftb& calculator, const Structure& s, bool stress = false) {
    Evaluation out;
    calculator.evaluate(s, {.forces = true, .stress = stress}, out, Context{});
    return out;
}

/// Moves every atom along a direction of its own, so fast that the charges lag behind.
Structure at_step(Structure s, int step) {
    Random random(5);
    for (int i = 0; i < s.size(); ++i)
        for (int axis = 0; axis < 3; ++axis) s.positions(axis, i) += 0.015 * step * random.normal();
    return s;
}

/// The calculator after the first steps of a trajectory.
void start(SccDftb& calculator, const Structure& s) {
    for (int k = 0; k < steps_to_know; ++k) evaluate(calculator, at_step(s, k));
}

/// Energy at the next step for a displaced structure: the auxiliary charges depend on the past alone.
double next_energy(SccDftb& calculator, const State& past, const Structure& s) {
    calculator.restore(past);
    return evaluate(calculator, s).energy;
}

void check_derivatives(const SccDftbOptions& options, const Structure& s, bool stress) {
    SccDftb calculator(options);
    start(calculator, s);
    const State past = calculator.save();
    const Structure now = at_step(s, steps_to_know);
    const Evaluation here = evaluate(calculator, now, stress);
    BOOST_TEST(here.iterations == 1);
    // Far enough from self-consistency that forces without the residual's share would be wrong.
    BOOST_TEST(here.residual > 1e-4);
    const auto slope = [&](const std::function<Structure(double)>& displaced) {
        const auto difference = [&](double h) {
            return (next_energy(calculator, past, displaced(h)) -
                    next_energy(calculator, past, displaced(-h))) /
                   (2 * h);
        };
        return (4 * difference(2e-3) - difference(4e-3)) / 3;
    };
    const double scale = here.forces.cwiseAbs().maxCoeff();
    for (int i = 0; i < s.size(); ++i)
        for (int axis = 0; axis < 3; ++axis) {
            const double expected = slope([&](double h) {
                Structure displaced = now;
                displaced.positions(axis, i) += h;
                return displaced;
            });
            BOOST_TEST(std::abs(here.forces(axis, i) + expected) <= 1e-6 * scale);
        }
    if (!stress) return;
    const double largest = here.stress->cwiseAbs().maxCoeff();
    for (int a = 0; a < 3; ++a)
        for (int b = 0; b <= a; ++b) {
            const double expected = slope([&](double h) {
                                        Eigen::Matrix3d f = Eigen::Matrix3d::Identity();
                                        f(a, b) += h / 20;
                                        f(b, a) = a == b ? f(a, b) : f(b, a) + h / 20;
                                        Structure displaced = now;
                                        displaced.positions = f * now.positions;
                                        displaced.cell.vectors = f * now.cell.vectors;
                                        return displaced;
                                    }) *
                                    20 / now.cell.volume() / (a == b ? 1 : 2);
            BOOST_TEST(std::abs((*here.stress)(a, b) - expected) <= 1e-5 * largest);
        }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_extended_lagrangian)

BOOST_AUTO_TEST_CASE(forces_are_the_slope_of_the_energy_at_charges_that_lag_behind) {
    const Set set;
    check_derivatives(set.options(), molecule(), false);
    SccDftbOptions o = set.options();
    o.scc.shell_resolved = true;
    check_derivatives(o, molecule(), false);
    o = set.options();
    o.charge = 1;
    o.external.field = {0.002, -0.001, 0.003};
    check_derivatives(o, molecule(), false);
}

BOOST_AUTO_TEST_CASE(stress_as_well_in_a_crystal) {
    const Set set;
    check_derivatives(set.options(), crystal(), true);
}

BOOST_AUTO_TEST_CASE(the_energy_is_close_to_the_self_consistent_one) {
    const Set set;
    SccDftbOptions converged = set.options();
    converged.scc.cycles_per_step = 0;
    SccDftb follows(set.options()), exact(converged);
    start(follows, molecule());
    const Structure now = at_step(molecule(), steps_to_know);
    const Evaluation a = evaluate(follows, now), b = evaluate(exact, now);
    // The error is of second order in the residual, with a hardness of about 1 hartree/e^2 per atom.
    BOOST_TEST(std::abs(a.energy - b.energy) < 5 * a.residual * a.residual + 1e-9);
    BOOST_TEST(std::abs(a.energy - b.energy) > 0);
}

BOOST_AUTO_TEST_CASE(a_long_trajectory_conserves_energy_with_one_density_matrix_a_step) {
    const Set set;
    // The wells of the invented set are unknown: springs to the first positions hold the atoms.
    const Structure first = molecule();
    const auto spread_and_cycles = [&](int cycles_per_step) {
        SccDftbOptions o = set.options(3000);
        o.scc.cycles_per_step = cycles_per_step;
        SccDftb calculator(o);
        Structure s = first;
        const Evaluation at_rest = evaluate(calculator, s);
        constexpr double spring = 0.3, dt = 10;
        const Eigen::VectorXd masses = s.masses();
        Eigen::Matrix3Xd v = Eigen::Matrix3Xd::Zero(3, s.size());
        Random random(2);
        for (int i = 0; i < s.size(); ++i)
            for (int axis = 0; axis < 3; ++axis) v(axis, i) = std::sqrt(2e-4 / masses(i)) * random.normal();
        // F = F_tb - F_tb(first) - k (x - x0): at rest where it starts.
        const auto force = [&](const Evaluation& at) -> Eigen::Matrix3Xd {
            return at.forces - at_rest.forces - spring * (s.positions - first.positions);
        };
        const auto total = [&](const Evaluation& at) {
            const Eigen::Matrix3Xd x = s.positions - first.positions;
            return at.energy + x.cwiseProduct(at_rest.forces).sum() + 0.5 * spring * x.squaredNorm() +
                   0.5 * (v.cwiseAbs2() * masses).sum();
        };
        Evaluation now = at_rest;
        Eigen::Matrix3Xd f = force(now);
        double lowest = total(now), highest = lowest;
        int cycles = 0;
        constexpr int steps = 400;
        for (int k = 0; k < steps; ++k) {
            v += 0.5 * dt * f * masses.cwiseInverse().asDiagonal();
            s.positions += dt * v;
            now = evaluate(calculator, s);
            f = force(now);
            v += 0.5 * dt * f * masses.cwiseInverse().asDiagonal();
            lowest = std::min(lowest, total(now));
            highest = std::max(highest, total(now));
            if (k >= steps_to_know) cycles += now.iterations;
        }
        return std::pair(highest - lowest, static_cast<double>(cycles) / (steps - steps_to_know));
    };
    const auto [exact, exact_cycles] = spread_and_cycles(0);
    const auto [following, cycles] = spread_and_cycles(1);
    BOOST_TEST(cycles == 1.0);
    BOOST_TEST(exact_cycles > 2.5);
    // The spread is that of the integrator; the charges may add as much again.
    BOOST_TEST(following < 2 * exact);
}

BOOST_AUTO_TEST_CASE(a_restored_trajectory_continues_to_the_same_bits) {
    const Set set;
    SccDftb whole(set.options()), first(set.options()), second(set.options());
    for (int k = 0; k < 9; ++k) evaluate(whole, at_step(molecule(), k));
    for (int k = 0; k < 9; ++k) evaluate(first, at_step(molecule(), k));
    second.restore(first.save());
    for (int k = 9; k < 14; ++k) {
        const Evaluation a = evaluate(whole, at_step(molecule(), k));
        const Evaluation b = evaluate(second, at_step(molecule(), k));
        BOOST_TEST(a.energy == b.energy);
        BOOST_TEST((a.forces == b.forces));
    }
}

BOOST_AUTO_TEST_CASE(a_jump_and_other_atoms_are_converged) {
    const Set set;
    SccDftb calculator(set.options());
    start(calculator, molecule());
    Structure jumped = at_step(molecule(), steps_to_know);
    jumped.positions(0, 1) += 0.8;
    SccDftbOptions converged = set.options();
    converged.scc.cycles_per_step = 0;
    SccDftb exact(converged);
    const Evaluation a = evaluate(calculator, jumped);
    BOOST_TEST(a.iterations > 2);
    BOOST_TEST(std::abs(a.energy - evaluate(exact, jumped).energy) < 1e-9);

    start(calculator, molecule());
    Structure other = molecule();
    other.add(1, {9, 9, 9});
    BOOST_TEST(evaluate(calculator, other).iterations > 2);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const Set set;
    SccDftbOptions o = set.options();
    o.scc.cycles_per_step = 3;
    BOOST_CHECK_THROW(SccDftb{o}, InputError);
    o.scc.cycles_per_step = 1;
    o.scc.enabled = false;
    BOOST_CHECK_THROW(SccDftb{o}, InputError);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Thermodynamic functions against partition sums, derivatives and measured standard entropies.
#include "stembridge/md/thermochemistry.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"

using namespace stembridge;
using boost::test_tools::tolerance;

namespace {

constexpr double gas_constant = 8.31446261815324;  // J/(mol K)
constexpr double kj_per_mol = 2625.4996394799;     // one hartree
constexpr double room = 298.15 * units::kelvin;    // kT
constexpr double cm1 = units::inverse_centimetre;

Eigen::VectorXd wavenumbers(const std::vector<double>& values) {
    return cm1 * Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

Structure nitrogen() {
    Structure molecule;
    molecule.add(7, Eigen::Vector3d(1, 1, 1));
    molecule.add(7, Eigen::Vector3d(1, 1, 1 + 1.0977 * units::angstrom));
    return molecule;
}

Structure water() {
    const double r = 0.9578 * units::angstrom, half = 0.5 * 104.48 * M_PI / 180;
    Structure molecule;
    molecule.add(8, Eigen::Vector3d(0, 0, 0));
    molecule.add(1, r * Eigen::Vector3d(std::sin(half), 0, std::cos(half)));
    molecule.add(1, r * Eigen::Vector3d(-std::sin(half), 0, std::cos(half)));
    return molecule;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_thermochemistry)

BOOST_AUTO_TEST_CASE(an_oscillator_has_the_functions_of_its_partition_sum) {
    const double omega = 0.004;
    for (const double kT : {0.0004, 0.002, 0.01}) {
        // Z = sum_n e^-(n + 1/2) omega / kT; at e^-x >= e^-10 ... e^-0.4, 200 terms leave e^-80.
        double z = 0, energy = 0, square = 0;
        for (int n = 0; n < 200; ++n) {
            const double level = omega * (n + 0.5), weight = std::exp(-level / kT);
            z += weight;
            energy += weight * level;
            square += weight * level * level;
        }
        const auto result = md::harmonic_thermochemistry(Eigen::VectorXd::Constant(1, omega), kT);
        const double mean = energy / z, free_energy = -kT * std::log(z);
        BOOST_TEST(result.zero_point_energy == omega / 2, tolerance(1e-14));
        BOOST_TEST(result.internal_energy == mean, tolerance(1e-12));
        BOOST_TEST(result.free_energy == free_energy, tolerance(1e-12));
        // Differences of nearly equal numbers: relative to the smallest heat capacity (5e-3) 1e-9.
        BOOST_TEST(result.entropy == (mean - free_energy) / kT, tolerance(1e-9));
        BOOST_TEST(result.heat_capacity == (square / z - mean * mean) / (kT * kT), tolerance(1e-9));
    }
}

BOOST_AUTO_TEST_CASE(entropy_is_minus_the_slope_of_the_free_energy) {
    const Eigen::VectorXd frequencies = wavenumbers({35, 400, 1590, 3100});
    const double step = 1e-4 * room;
    const double slope = (md::harmonic_thermochemistry(frequencies, room + step).free_energy -
                          md::harmonic_thermochemistry(frequencies, room - step).free_energy) /
                         (2 * step);
    // Error of the difference: step^2 / 6 of the third derivative, relative 1e-8.
    BOOST_TEST(md::harmonic_thermochemistry(frequencies, room).entropy == -slope, tolerance(1e-7));
}

BOOST_AUTO_TEST_CASE(oscillators_are_frozen_at_zero_and_classical_when_hot) {
    const Eigen::VectorXd frequencies = wavenumbers({100, 2000});
    const auto cold = md::harmonic_thermochemistry(frequencies, 0);
    BOOST_TEST(cold.entropy == 0);
    BOOST_TEST(cold.free_energy == 1050 * cm1, tolerance(1e-13));
    const auto nearly_cold = md::harmonic_thermochemistry(frequencies, 1e-9);  // e^x overflows
    BOOST_TEST(nearly_cold.entropy == 0);
    BOOST_TEST(nearly_cold.free_energy == cold.free_energy, tolerance(1e-13));
    // C / k = 1 - x^2 / 12 each
    const auto hot = md::harmonic_thermochemistry(frequencies, 1e6 * cm1);
    BOOST_TEST(hot.heat_capacity == 2.0, tolerance(1e-6));
    BOOST_TEST(hot.internal_energy == 2e6 * cm1, tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(imaginary_and_vanishing_frequencies_are_left_out_and_counted) {
    const auto all = md::harmonic_thermochemistry(wavenumbers({-120, 0, 500}), room);
    const auto real = md::harmonic_thermochemistry(wavenumbers({500}), room);
    BOOST_TEST(all.left_out == 2);
    BOOST_TEST(all.free_energy == real.free_energy);
    BOOST_CHECK_THROW(md::harmonic_thermochemistry(wavenumbers({500}), -1), InputError);
}

// Standard entropies at 298.15 K and 1 bar and H(298.15) - H(0) of the ideal gases.
// @source Cox, Wagman, Medvedev, CODATA Key Values for Thermodynamics (1989)

BOOST_AUTO_TEST_CASE(argon_has_the_entropy_of_sackur_and_tetrode) {
    Structure atom;
    atom.add(18, Eigen::Vector3d::Zero());
    const auto result = md::ideal_gas_thermochemistry(atom, {});
    BOOST_TEST(result.entropy * gas_constant == 154.846, tolerance(0.003 / 154.846));  // its uncertainty
    BOOST_TEST(result.enthalpy == 2.5 * room, tolerance(1e-12));
    BOOST_TEST(result.rotational_entropy == 0);
}

BOOST_AUTO_TEST_CASE(nitrogen_has_its_measured_entropy_and_enthalpy) {
    const auto result =
        md::ideal_gas_thermochemistry(nitrogen(), wavenumbers({2329.9}), {.symmetry_number = 2});
    // The molecule is rigid to 1e-3 of kT: what is left of centrifugal stretching is below 0.05 J/(mol K).
    BOOST_TEST(std::abs(result.entropy * gas_constant - 191.609) < 0.05);
    const double heat = (result.enthalpy - result.vibrations.zero_point_energy) * kj_per_mol;
    BOOST_TEST(std::abs(heat - 8.670) < 0.01);
    BOOST_TEST(result.gibbs_energy == result.enthalpy - room * result.entropy, tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(water_has_its_measured_entropy_and_enthalpy) {
    const auto result =
        md::ideal_gas_thermochemistry(water(), wavenumbers({1594.7, 3657.1, 3755.9}), {.symmetry_number = 2});
    // Rotational constants of the ground state are up to 2 % off those at rest (0.08 J/(mol K)), centrifugal
    // distortion gives about as much; a wrong symmetry number would give 5.8.
    BOOST_TEST(std::abs(result.entropy * gas_constant - 188.835) < 0.3);
    const double heat = (result.enthalpy - result.vibrations.zero_point_energy) * kj_per_mol;
    BOOST_TEST(std::abs(heat - 9.905) < 0.02);
}

BOOST_AUTO_TEST_CASE(symmetry_spin_pressure_and_mass_enter_as_they_should) {
    const auto entropy = [](const md::IdealGasOptions& options) {
        return md::ideal_gas_thermochemistry(nitrogen(), {}, options).entropy;
    };
    const double base = entropy({});
    BOOST_TEST(entropy({.symmetry_number = 2}) == base - std::log(2.0), tolerance(1e-12));
    BOOST_TEST(entropy({.multiplicity = 3}) == base + std::log(3.0), tolerance(1e-12));
    BOOST_TEST(entropy({.pressure = 2e-4 * units::gigapascal}) == base - std::log(2.0), tolerance(1e-12));
    // Twice the mass: 3/2 ln 2 from translation, ln 2 from the moment of inertia.
    BOOST_TEST(entropy({.masses = 2 * nitrogen().masses()}) == base + 2.5 * std::log(2.0), tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(an_ideal_gas_that_makes_no_sense_is_refused) {
    const auto refused = [](const md::IdealGasOptions& options) {
        BOOST_CHECK_THROW(md::ideal_gas_thermochemistry(nitrogen(), {}, options), InputError);
    };
    refused({.temperature = 0});
    refused({.pressure = 0});
    refused({.symmetry_number = 0});
    refused({.multiplicity = 0});
    Structure periodic = nitrogen();
    periodic.cell.vectors = 20 * Eigen::Matrix3d::Identity();
    periodic.cell.periodic = {true, true, true};
    BOOST_CHECK_THROW(md::ideal_gas_thermochemistry(periodic, {}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

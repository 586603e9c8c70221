// SPDX-License-Identifier: Apache-2.0
// The thermostats as physics: do they sample the canonical distribution? Every mean is compared with its
// exact value within five standard errors of the mean, which are measured on blocks of the run.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/md/dynamics.hpp"
#include "stembridge/md/observables.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double fs = units::femtosecond;
constexpr double kT = 300 * units::kelvin;

/// Mean of a correlated series and its standard error, from 50 blocks.
class BlockedMean {
  public:
    explicit BlockedMean(std::int64_t samples) : per_block_(samples / n_blocks) {}
    void add(double value) {
        sum_ += value;
        if (++in_block_ < per_block_) return;
        blocks_.push_back(sum_ / static_cast<double>(per_block_));
        sum_ = 0;
        in_block_ = 0;
    }
    double mean() const { return as_array().mean(); }
    double error() const {
        const auto n = static_cast<double>(blocks_.size());
        return std::sqrt((as_array() - mean()).square().sum() / (n * (n - 1)));
    }
    /// Within five standard errors, and those at most `precision` of the value: the test can fail.
    void check(const std::string& what, double exact, double precision) const {
        BOOST_TEST_MESSAGE(what << ": " << mean() / exact << " +- " << error() / exact
                                << " of the exact value");
        BOOST_TEST(std::abs(mean() - exact) < 5 * error(), what);
        BOOST_TEST(error() < precision * exact, what);
    }

  private:
    static constexpr int n_blocks = 50;
    Eigen::Map<const Eigen::ArrayXd> as_array() const {
        return {blocks_.data(), static_cast<Eigen::Index>(blocks_.size())};
    }
    std::int64_t per_block_, in_block_ = 0;
    double sum_ = 0;
    std::vector<double> blocks_;
};

/// A hydrogenated carbon sheet: stiff and soft, light and heavy.
Structure hydrogenated_sheet() {
    Structure sheet = graphene_sheet(2, 1, true);
    for (const int i : {1, 4}) sheet.atomic_numbers[static_cast<std::size_t>(i)] = 1;
    return sheet;
}

/// One atom that may move along x only.
Structure bead() {
    Structure atom;
    atom.add(6, {0, 0, 0});
    atom.fixed = FixedMask::Constant(3, 1, true);
    atom.fixed(0, 0) = false;
    return atom;
}

void check_oscillator(const DynamicsOptions& options, double position_bias, double velocity_bias) {
    constexpr std::int64_t steps = 600000;
    const double k = 0.3;
    WellCalculator well(k);
    const Structure atom = bead();
    const double mass = atom.masses()(0);
    MolecularDynamics md(atom, well, options);
    md.run(1000);
    BlockedMean x2(steps), x4(steps), v2(steps), inner(steps);
    while (md.step_count() < steps + 1000) {
        md.step();
        const double x = md.structure().positions(0, 0), v = md.structure().velocities(0, 0);
        x2.add(x * x);
        x4.add(x * x * x * x);
        v2.add(v * v);
        inner.add(x * x < kT / k ? 1 : 0);
    }
    // Gaussian: <x^2> = kT/k, <x^4> = 3 (kT/k)^2, erf(1/sqrt(2)) within one standard deviation.
    x2.check(options.ensemble + " <x^2>", kT / k * (1 + position_bias), 0.02);
    x4.check(options.ensemble + " <x^4>", 3 * std::pow(kT / k * (1 + position_bias), 2), 0.04);
    v2.check(options.ensemble + " <v^2>", kT / mass * (1 + velocity_bias), 0.02);
    inner.check(options.ensemble + " P(|x| < sigma)", std::erf(std::sqrt(0.5)), 0.01);
}

void check_droplet(const std::string& ensemble) {
    // A droplet with an anharmonic interaction, so that heat finds its way between the modes within the run;
    // three fixed atoms leave no motion of the whole.
    constexpr std::int64_t steps = 150000;
    constexpr double hot = 1000 * units::kelvin;
    Structure droplet = rattled(graphene_sheet(1, 2, false), 0.3);
    for (const int i : {1, 4, 6}) droplet.atomic_numbers[static_cast<std::size_t>(i)] = 1;
    droplet.fixed = FixedMask::Constant(3, droplet.size(), false);
    droplet.fixed.leftCols(1).setConstant(true);
    droplet.fixed.rightCols(2).setConstant(true);
    MorseCalculator morse(0.04, 0.7, 3.0);
    DynamicsOptions options;
    options.ensemble = ensemble;
    options.thermostat_time = 10 * fs;
    options.temperature = hot;
    options.timestep = 0.5 * fs;
    options.thermostat_period = 20 * fs;
    MolecularDynamics md(droplet, morse, options);
    md.run(10000);
    const int n_f = md.degrees_of_freedom();
    BOOST_TEST(n_f == 15);
    const double exact = n_f * hot / 2, exact_variance = n_f * hot * hot / 2;
    BlockedMean mean(steps), variance(steps), hydrogen(steps), carbon(steps), out_of_plane(steps);
    const Eigen::VectorXd masses = droplet.masses();
    while (md.step_count() < steps + 10000) {
        md.step();
        const Eigen::Matrix3Xd& v = md.structure().velocities;
        const double kinetic = kinetic_energy(md.structure());
        mean.add(kinetic);
        variance.add((kinetic - exact) * (kinetic - exact));
        hydrogen.add(0.5 * masses(1) * v.col(1).squaredNorm());
        carbon.add(0.5 * masses(3) * v.col(3).squaredNorm());
        out_of_plane.add(0.5 * v.row(2).cwiseAbs2().dot(masses));
    }
    mean.check(ensemble + ", kinetic energy", exact, 0.01);
    variance.check(ensemble + ", its variance", exact_variance, 0.1);
    // Equipartition: kT/2 for every coordinate.
    hydrogen.check(ensemble + ", hydrogen", 1.5 * hot, 0.05);
    carbon.check(ensemble + ", carbon", 1.5 * hot, 0.05);
    out_of_plane.check(ensemble + ", out of the plane", 2.5 * hot, 0.05);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_canonical)

BOOST_AUTO_TEST_CASE(kinetic_energies_on_a_chain_or_rescaled_at_random_have_the_canonical_mean_and_variance) {
    for (const std::string ensemble : {"nvt", "bussi"}) check_droplet(ensemble);
}

BOOST_AUTO_TEST_CASE(an_oscillator_on_a_chain_thermostat_is_gaussian_in_position_and_velocity) {
    DynamicsOptions options;
    options.hold_center_of_mass = false;
    options.timestep = 1 * fs;
    options.thermostat_period = 41 * fs;  // that of the oscillator
    // Verlet samples positions as if the spring were softer by (omega dt)^2 / 4, here 0.6 %; velocities stay.
    const double omega_dt = std::sqrt(0.3 / bead().masses()(0)) * options.timestep;
    check_oscillator(options, omega_dt * omega_dt / 4, 0);
}

BOOST_AUTO_TEST_CASE(an_oscillator_in_a_langevin_bath_is_gaussian_in_position_and_velocity) {
    DynamicsOptions options;
    options.ensemble = "langevin";
    options.timestep = 2 * fs;
    options.friction = 0.02 / fs;
    // BAOAB is exact for the positions of an oscillator; velocities are colder by (omega dt)^2 / 4 at the end
    // of a step (Leimkuhler, Matthews, J. Chem. Phys. 138, 174102 (2013)).
    const double omega_dt = std::sqrt(0.3 / bead().masses()(0)) * options.timestep;
    check_oscillator(options, 0, -omega_dt * omega_dt / 4);
}

BOOST_AUTO_TEST_CASE(a_langevin_bath_heats_a_cold_sheet_and_accounts_for_the_heat) {
    constexpr std::int64_t steps = 60000;
    Structure sheet = hydrogenated_sheet();
    SpringCalculator springs(sheet);
    DynamicsOptions options;
    options.ensemble = "langevin";
    options.timestep = 0.5 * fs;
    options.friction = 0.02 / fs;
    sheet.velocities = Eigen::Matrix3Xd::Zero(3, sheet.size());
    MolecularDynamics md(sheet, springs, options);
    const double start = md.observables().conserved;
    md.run(3000);
    BlockedMean temperature(steps);
    double largest_error = 0;
    md.run(steps + 3000, [&](const DynamicsObservables& now) {
        temperature.add(now.temperature);
        largest_error = std::max(largest_error, std::abs(now.conserved - start));
    });
    temperature.check("temperature", kT, 0.02);
    // The heat taken up is n_f kT = 24 kT; what the integration adds stays below a hundredth of that.
    BOOST_TEST(largest_error < 0.01 * 24 * kT);
}

BOOST_AUTO_TEST_SUITE_END()

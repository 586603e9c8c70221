// SPDX-License-Identifier: Apache-2.0
// Second derivatives against systems whose frequencies are known in closed form.
#include "stembridge/md/vibrations.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <stop_token>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "support/spring_calculator.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::testing;
using boost::test_tools::tolerance;

namespace {

// With a displacement d the second difference of a Morse well is off by 7/6 (a d)^2 = 1e-6 (relative) at most
// for what is used here, frequencies by half of that.
constexpr double displacement = 1e-3;
constexpr double depth = 0.2, a = 0.9, r0 = 2.2;
constexpr double spring = 2 * depth * a * a;  // second derivative at the bottom of the well
constexpr double accuracy = 1e-6;

md::NormalModes modes_of(const Structure& structure, Calculator& calculator,
                         const md::ModeOptions& options = {}) {
    md::HessianCalculation calculation(structure, calculator, displacement);
    BOOST_REQUIRE(calculation.run());
    return md::normal_modes(structure, calculation.hessian(), options);
}

/// Carbon and oxygen along an oblique direction.
Structure diatomic(double distance = r0) {
    Structure molecule;
    const Eigen::Vector3d direction = Eigen::Vector3d(1, -2, 3).normalized();
    molecule.add(6, Eigen::Vector3d(0.3, 0.1, -0.2));
    molecule.add(8, molecule.positions.col(0) + distance * direction);
    return molecule;
}

double reduced_mass(double m1, double m2) {
    return m1 * m2 / (m1 + m2);
}

const double mass_c = atomic_mass(6), mass_o = atomic_mass(8);

/// Fixed charges on top of another calculator.
class ChargedCalculator : public Calculator {
  public:
    ChargedCalculator(Calculator& springs, Eigen::VectorXd charges)
        : springs_(springs), charges_(std::move(charges)) {}
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override {
        springs_.evaluate(structure, wanted, out, context);
        out.charges = charges_;
    }
    Wanted offers(const Structure& structure) const override { return springs_.offers(structure); }
    std::string description() const override { return "charged " + springs_.description(); }

  private:
    Calculator& springs_;
    Eigen::VectorXd charges_;
};

Structure tetrahedron() {
    Structure cluster;
    for (const auto& corner : {Eigen::Vector3d(1, 1, 1), Eigen::Vector3d(1, -1, -1),
                               Eigen::Vector3d(-1, 1, -1), Eigen::Vector3d(-1, -1, 1)})
        cluster.add(6, corner * r0 / std::sqrt(8.0));
    return cluster;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_vibrations)

BOOST_AUTO_TEST_CASE(a_diatomic_molecule_vibrates_at_the_root_of_k_over_mu) {
    MorseCalculator morse(depth, a, r0);
    const Structure molecule = diatomic();
    const md::NormalModes modes = modes_of(molecule, morse);
    const double mu = reduced_mass(mass_c, mass_o);
    BOOST_TEST(modes.rigid_motions == 5);
    BOOST_REQUIRE(modes.n_modes() == 1);
    BOOST_TEST(modes.frequencies(0) == std::sqrt(spring / mu), tolerance(accuracy));
    BOOST_TEST(modes.zero_point_energy == modes.frequencies(0) / 2, tolerance(1e-14));
    // The atoms move against each other along the bond, and the centre of mass rests.
    const Eigen::Matrix3Xd mode = modes.mode(0);
    BOOST_TEST((mode * molecule.masses()).norm() < 1e-9 * mass_c);
    const Eigen::Vector3d bond = (molecule.positions.col(1) - molecule.positions.col(0)).normalized();
    BOOST_TEST(mode.col(0).cross(bond).norm() < 1e-9);
    BOOST_TEST(mode.norm() == 1.0, tolerance(1e-12));
    // |x| = 1 with m1 x1 = m2 x2: mass-weighted square (m1 m2^2 + m2 m1^2) / (m1^2 + m2^2)
    BOOST_TEST(
        modes.reduced_masses(0) == mass_c * mass_o * (mass_c + mass_o) / (mass_c * mass_c + mass_o * mass_o),
        tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_linear_triatomic_molecule_has_the_modes_of_the_chain) {
    Structure molecule;
    for (const auto& [z, x] : {std::pair{8, -2.2}, std::pair{6, 0.0}, std::pair{8, 2.2}})
        molecule.add(z, Eigen::Vector3d(x, 0, 0));
    const double k = 0.46;
    SpringCalculator springs(molecule, {.bond = k, .angle = 0, .bending = 0});
    const md::NormalModes modes = modes_of(molecule, springs);
    BOOST_TEST(modes.rigid_motions == 5);
    BOOST_REQUIRE(modes.n_modes() == 4);
    // Nothing resists bending to second order; of fourth order k d^2 / 2 r^2 is left, about 5e-8
    // hartree/bohr^2 on masses above 2e4: 2e-6 hartree.
    BOOST_TEST(modes.frequencies.head(2).cwiseAbs().maxCoeff() < 5e-6);
    BOOST_TEST(modes.frequencies(2) == std::sqrt(k / mass_o), tolerance(accuracy));
    BOOST_TEST(modes.frequencies(3) == std::sqrt(k * (1 / mass_o + 2 / mass_c)), tolerance(accuracy));
    BOOST_TEST(modes.mode(2).col(1).norm() < 1e-9);  // the symmetric stretch leaves the carbon at rest
}

BOOST_AUTO_TEST_CASE(a_tetrahedron_of_springs_has_breathing_and_its_two_degenerate_modes) {
    MorseCalculator morse(depth, a, r0);
    md::HessianCalculation calculation(tetrahedron(), morse, displacement);
    BOOST_REQUIRE(calculation.run());
    BOOST_TEST(calculation.evaluation().forces.norm() < 1e-12);
    BOOST_TEST(calculation.asymmetry() < 1e-9);
    const md::NormalModes modes = md::normal_modes(tetrahedron(), calculation.hessian());
    BOOST_TEST(modes.rigid_motions == 6);
    BOOST_REQUIRE(modes.n_modes() == 6);
    const double unit = std::sqrt(spring / mass_c);
    for (const int k : {0, 1}) BOOST_TEST(modes.frequencies(k) == unit, tolerance(5 * accuracy));
    for (const int k : {2, 3, 4})
        BOOST_TEST(modes.frequencies(k) == std::sqrt(2.0) * unit, tolerance(5 * accuracy));
    BOOST_TEST(modes.frequencies(5) == 2 * unit, tolerance(5 * accuracy));
    // Before the projection six frequencies vanish: translations to rounding, rotations to the differences'
    // error of about 1e-6 of the spring, the root of which is 1e-3 of the frequency.
    const Eigen::VectorXd sizes = modes.unprojected.cwiseAbs();
    BOOST_REQUIRE(sizes.size() == 12);
    BOOST_TEST((sizes.array() < 2e-3 * unit).count() == 6);
    BOOST_TEST((sizes.array() < 1e-6 * unit).count() >= 3);
    for (int k = 0; k < 6; ++k) BOOST_TEST(modes.unprojected(k + 6) == modes.frequencies(k), tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(a_turned_and_shifted_cluster_has_the_same_frequencies) {
    MorseCalculator morse(depth, a, r0);
    Structure cluster = tetrahedron();
    cluster.atomic_numbers = {6, 8, 1, 14};
    Structure turned = cluster;
    const Eigen::Matrix3d rotation =
        Eigen::AngleAxisd(0.7, Eigen::Vector3d(1, 2, -1).normalized()).toRotationMatrix();
    turned.positions = (rotation * cluster.positions).colwise() + Eigen::Vector3d(5, -3, 40);
    const Eigen::VectorXd one = modes_of(cluster, morse).frequencies;
    const Eigen::VectorXd other = modes_of(turned, morse).frequencies;
    // The error of the differences depends on the direction.
    BOOST_TEST(((one - other).array() / one.array()).abs().maxCoeff() < 5 * accuracy);
}

BOOST_AUTO_TEST_CASE(a_periodic_sheet_loses_three_motions_and_has_the_phonons_of_the_honeycomb) {
    const double k = 0.46, bending = 0.03;
    const Structure sheet = graphene_sheet(1, 1, true);
    SpringCalculator springs(sheet, {.bond = k, .angle = 0, .bending = bending});
    const md::NormalModes modes = modes_of(sheet, springs);
    BOOST_TEST(modes.rigid_motions == 3);
    BOOST_REQUIRE(modes.n_modes() == 9);
    // Both sublattices against each other, in the plane: (3 k + 4 k_b) / m, out of it: 4 k_b / m. The springs
    // are off by k d^2 / r^2 (1e-7 of k).
    BOOST_TEST(modes.frequencies(8) == std::sqrt((3 * k + 4 * bending) / mass_c), tolerance(accuracy));
    const double out_of_plane = std::sqrt(4 * bending / mass_c);
    BOOST_TEST((modes.frequencies.array() - out_of_plane).abs().minCoeff() < 1e-5 * out_of_plane);
    const Eigen::VectorXd sizes = modes.unprojected.cwiseAbs();
    BOOST_TEST((sizes.array() < 1e-3 * out_of_plane).count() >= 3);
}

BOOST_AUTO_TEST_CASE(heavier_isotopes_vibrate_slower_by_the_root_of_the_masses) {
    MorseCalculator morse(depth, a, r0);
    const Structure molecule = diatomic();
    md::HessianCalculation calculation(molecule, morse, displacement);
    calculation.run();
    const double normal = md::normal_modes(molecule, calculation.hessian()).frequencies(0);
    md::ModeOptions heavy;
    heavy.masses = 2 * molecule.masses();
    BOOST_TEST(
        md::normal_modes(molecule, calculation.hessian(), heavy).frequencies(0) == normal / std::sqrt(2.0),
        tolerance(1e-12));
    heavy.masses = Eigen::Vector2d(14.003 * units::dalton, mass_o);
    BOOST_TEST(
        md::normal_modes(molecule, calculation.hessian(), heavy).frequencies(0) ==
            normal * std::sqrt(reduced_mass(mass_c, mass_o) / reduced_mass(14.003 * units::dalton, mass_o)),
        tolerance(1e-9));
    heavy.masses = Eigen::Vector3d(1, 1, 1);
    BOOST_CHECK_THROW(md::normal_modes(molecule, calculation.hessian(), heavy), InputError);
    heavy.masses = Eigen::Vector2d(1, 0);
    BOOST_CHECK_THROW(md::normal_modes(molecule, calculation.hessian(), heavy), InputError);
}

BOOST_AUTO_TEST_CASE(fixed_coordinates_are_left_out_and_take_the_rigid_motions_with_them) {
    MorseCalculator morse(depth, a, r0);
    Structure molecule = diatomic();
    molecule.fixed = FixedMask::Constant(3, 2, false);
    molecule.fixed.col(0) = true;
    const md::NormalModes one_fixed = modes_of(molecule, morse);
    BOOST_TEST(one_fixed.rigid_motions == 2);  // the rotations about the fixed atom
    BOOST_REQUIRE(one_fixed.n_modes() == 1);
    BOOST_TEST(one_fixed.frequencies(0) == std::sqrt(spring / mass_o), tolerance(accuracy));
    BOOST_TEST(one_fixed.displacements.topRows(3).cwiseAbs().maxCoeff() == 0);

    // In the xy plane, with every z fixed, two translations and a rotation are left.
    Structure flat;
    flat.add(6, Eigen::Vector3d(0, 0, 0));
    flat.add(8, Eigen::Vector3d(0, r0, 0));
    flat.fixed = FixedMask::Constant(3, 2, false);
    flat.fixed.row(2) = true;
    const md::NormalModes in_plane = modes_of(flat, morse);
    BOOST_TEST(in_plane.rigid_motions == 3);
    BOOST_REQUIRE(in_plane.n_modes() == 1);
    BOOST_TEST(in_plane.frequencies(0) == std::sqrt(spring / reduced_mass(mass_c, mass_o)),
               tolerance(accuracy));

    flat.fixed = true;
    BOOST_CHECK_THROW(md::HessianCalculation(flat, morse, displacement), InputError);
}

BOOST_AUTO_TEST_CASE(rotations_about_fixed_atoms_are_no_vibrations) {
    // A free cluster has 12 - 6 vibrations. Fixed atoms leave the rotations about a point, an axis, or none.
    MorseCalculator morse(depth, a, r0);
    Structure cluster = tetrahedron();
    cluster.positions.colwise() += Eigen::Vector3d(3, -7, 2);
    const double unit = std::sqrt(spring / mass_c);
    for (const auto& [n_fixed, rotations] : {std::pair{1, 3}, {2, 1}, {3, 0}}) {
        cluster.fixed = FixedMask::Constant(3, 4, false);
        cluster.fixed.leftCols(n_fixed) = true;
        const md::NormalModes modes = modes_of(cluster, morse);
        BOOST_TEST(modes.rigid_motions == rotations);
        BOOST_TEST(modes.n_modes() == 3 * (4 - n_fixed) - rotations);
        BOOST_TEST(modes.frequencies.minCoeff() > 0.1 * unit);
        BOOST_TEST(modes.displacements.topRows(3 * n_fixed).cwiseAbs().maxCoeff() == 0);
        // What was taken out were zeros, to the error of the differences as in the tetrahedron above.
        BOOST_TEST((modes.unprojected.array().abs() < 2e-3 * unit).count() == rotations);
    }
    // The fixed x of one atom and y of another still leave four motions.
    cluster.fixed = FixedMask::Constant(3, 4, false);
    cluster.fixed(0, 1) = cluster.fixed(1, 3) = true;
    BOOST_TEST(modes_of(cluster, morse).rigid_motions == 4);
    BOOST_TEST(modes_of(cluster, morse).n_modes() == 6);
}

BOOST_AUTO_TEST_CASE(an_external_field_keeps_all_its_modes_without_projection) {
    WellCalculator well(0.3);
    md::ModeOptions options;
    options.project = false;
    const md::NormalModes modes = modes_of(diatomic(), well, options);
    BOOST_TEST(modes.rigid_motions == 0);
    BOOST_REQUIRE(modes.n_modes() == 6);
    BOOST_TEST(modes.frequencies(0) == std::sqrt(0.3 / mass_o), tolerance(1e-9));
    BOOST_TEST(modes.frequencies(5) == std::sqrt(0.3 / mass_c), tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_single_atom_has_no_vibration) {
    MorseCalculator morse(depth, a, r0);
    Structure atom;
    atom.add(6, Eigen::Vector3d(1, 2, 3));
    const md::NormalModes modes = modes_of(atom, morse);
    BOOST_TEST(modes.rigid_motions == 3);
    BOOST_TEST(modes.n_modes() == 0);
    BOOST_TEST(modes.zero_point_energy == 0);
}

BOOST_AUTO_TEST_CASE(an_imaginary_frequency_is_a_negative_number_without_zero_point_energy) {
    MorseCalculator morse(depth, a, r0);
    const double y = 2 / a;  // beyond the inflection of the well
    const md::NormalModes modes = modes_of(diatomic(r0 + y), morse);
    BOOST_REQUIRE(modes.n_modes() == 1);
    const double curvature = spring * (2 * std::exp(-2 * a * y) - std::exp(-a * y));
    BOOST_TEST(modes.frequencies(0) == -std::sqrt(-curvature / reduced_mass(mass_c, mass_o)),
               tolerance(5 * accuracy));
    BOOST_TEST(modes.n_imaginary() == 1);
    BOOST_TEST(modes.zero_point_energy == 0);
}

BOOST_AUTO_TEST_CASE(a_stretching_dipole_absorbs_with_the_square_of_its_charge) {
    MorseCalculator morse(depth, a, r0);
    const double q = 0.4;
    ChargedCalculator charged(morse, Eigen::Vector2d(q, -q));
    md::HessianCalculation calculation(diatomic(), charged, displacement);
    calculation.run();
    const md::NormalModes modes = md::normal_modes(diatomic(), calculation.hessian());
    const Eigen::VectorXd intensities =
        md::infrared_intensities(diatomic(), modes, calculation.dipole_gradient());
    // d mu / dQ = q / sqrt(reduced mass)
    BOOST_REQUIRE(intensities.size() == 1);
    BOOST_TEST(intensities(0) == q * q / reduced_mass(mass_c, mass_o), tolerance(1e-9));
    md::HessianCalculation without(diatomic(), morse, displacement);
    without.run();
    BOOST_TEST(without.dipole_gradient().cols() == 0);
}

BOOST_AUTO_TEST_CASE(a_calculation_that_is_interrupted_continues_to_the_same_bits) {
    MorseCalculator morse(depth, a, r0);
    const Structure start = rattled(tetrahedron(), 0.05);
    NoisyCalculator noisy(morse, 1e-5, 1e-5);
    md::HessianCalculation whole(start, noisy, displacement);
    whole.run();
    BOOST_TEST(whole.asymmetry() > 0);
    for (int interrupted_after = 0; interrupted_after <= 4; ++interrupted_after) {
        NoisyCalculator first(morse, 1e-5, 1e-5), second(morse, 1e-5, 1e-5, 99);
        md::HessianCalculation begun(start, first, displacement);
        for (int atom = 0; atom < interrupted_after; ++atom) begun.step();
        md::HessianCalculation continued(start, second, displacement);
        if (interrupted_after > 0) {
            continued.restore(begun.save());
        } else {
            second.restore(NoisyCalculator(morse, 1e-5, 1e-5).save());
            continued.restore(begun.save());
        }
        BOOST_TEST(continued.atoms_done() == interrupted_after);
        BOOST_TEST(continued.run());
        BOOST_TEST(same_bits(continued.hessian(), whole.hessian()));
        BOOST_TEST(continued.evaluation().energy == whole.evaluation().energy);
    }
}

BOOST_AUTO_TEST_CASE(any_number_of_workers_gives_the_same_bits) {
    // Noise that depends on what a calculator remembers: an evaluation that did not start from the
    // undisplaced structure would differ.
    MorseCalculator morse(depth, a, r0);
    const Structure start = rattled(graphene_sheet(1, 2, false), 0.05);
    const auto factory = [&] { return std::make_unique<NoisyCalculator>(morse, 1e-5, 1e-5); };
    NoisyCalculator alone(morse, 1e-5, 1e-5);
    md::HessianCalculation one(start, alone, displacement);
    one.run();
    for (const int workers : {1, 2, 3, 7}) {
        md::HessianCalculation calculation(start, factory, workers, displacement);
        int steps = 0;
        BOOST_TEST(calculation.run([&] { ++steps; }));
        BOOST_TEST((workers == 1) == (steps == calculation.n_atoms()));
        BOOST_TEST(same_bits(calculation.hessian(), one.hessian()));
    }
    // What one worker began, three continue.
    md::HessianCalculation begun(start, factory, 1, displacement), continued(start, factory, 3, displacement);
    begun.step();
    continued.restore(begun.save());
    BOOST_TEST(continued.run());
    BOOST_TEST(same_bits(continued.hessian(), one.hessian()));
    BOOST_CHECK_THROW(md::HessianCalculation(start, factory, 0, displacement), InputError);
}

BOOST_AUTO_TEST_CASE(a_failure_of_one_worker_ends_the_step_and_keeps_the_atoms_before) {
    class Failing : public MorseCalculator {
      public:
        explicit Failing(double lowest) : MorseCalculator(depth, a, r0), lowest_(lowest) {}
        void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                      const Context& context) override {
            if (structure.positions(1, 7) < lowest_) throw ConvergenceError("SCC", 3, 1, 1e-6, "on purpose");
            MorseCalculator::evaluate(structure, wanted, out, context);
        }

      private:
        double lowest_;
    };
    const Structure start = graphene_sheet(1, 2, false);
    const double lowest = start.positions(1, 7) - displacement / 2;  // where the last atom is moved last
    const auto factory = [&] { return std::make_unique<Failing>(lowest); };
    md::HessianCalculation calculation(start, factory, 2, displacement);
    BOOST_CHECK_THROW(calculation.run(), ConvergenceError);
    BOOST_TEST(calculation.atoms_done() > 0);
    BOOST_TEST(calculation.atoms_done() < calculation.n_atoms());
}

BOOST_AUTO_TEST_CASE(a_hessian_is_of_one_electronic_temperature) {
    /// Forces of another strength at 1000 K, which structures with the last atom moved up need, and keep.
    class Warming : public MorseCalculator {
      public:
        explicit Warming(double highest) : MorseCalculator(depth, a, r0), highest_(highest) {}
        void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                      const Context& context) override {
            warm_ = warm_ || structure.positions(2, 3) > highest_;
            MorseCalculator::evaluate(structure, wanted, out, context);
            out.electronic_temperature = (warm_ ? 1000 : 300) * units::kelvin;
            if (warm_) out.forces *= 1.5;
        }
        State save() const override {
            State state;
            state.put("warm", std::int64_t{warm_});
            return state;
        }
        void restore(const State& state) override { warm_ = state.integer("warm") != 0; }

      private:
        double highest_;
        bool warm_ = false;
    };
    const Structure start = tetrahedron();
    const auto factory = [&] { return std::make_unique<Warming>(start.positions(2, 3) + displacement / 2); };
    MorseCalculator morse(depth, a, r0);
    md::HessianCalculation cold(start, morse, displacement);
    cold.run();
    for (const int workers : {1, 3}) {
        int warnings = 0;
        Context context;
        context.log_sink = [&](Context::Level level, std::string_view) {
            warnings += level == Context::Level::warning;
        };
        md::HessianCalculation calculation(start, factory, workers, displacement, context);
        BOOST_TEST(calculation.run());
        BOOST_TEST(warnings == 1);
        BOOST_TEST(calculation.evaluation().electronic_temperature.value() == 1000 * units::kelvin);
        BOOST_TEST((calculation.hessian() - 1.5 * cold.hessian()).cwiseAbs().maxCoeff() <
                   1e-12 * cold.hessian().cwiseAbs().maxCoeff());
    }
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_it_after_the_atom_and_what_is_done_is_kept) {
    MorseCalculator morse(depth, a, r0);
    std::stop_source stop;
    Context context;
    context.stop = stop.get_token();
    md::HessianCalculation calculation(tetrahedron(), morse, displacement, context);
    BOOST_TEST(!calculation.run([&] {
        if (calculation.atoms_done() == 2) stop.request_stop();
    }));
    BOOST_TEST(calculation.atoms_done() == 2);
    BOOST_TEST(calculation.n_atoms() == 4);
    BOOST_CHECK_THROW(calculation.hessian(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_something_else_is_refused) {
    MorseCalculator morse(depth, a, r0);
    md::HessianCalculation calculation(tetrahedron(), morse, displacement);
    calculation.step();
    const State state = calculation.save();
    const auto restore = [&](const Structure& structure, double d) {
        md::HessianCalculation other(structure, morse, d);
        other.restore(state);
    };
    BOOST_CHECK_NO_THROW(restore(tetrahedron(), displacement));
    BOOST_CHECK_THROW(restore(tetrahedron(), 2 * displacement), FileError);
    BOOST_CHECK_THROW(restore(rattled(tetrahedron(), 1e-9), displacement), FileError);
    BOOST_CHECK_THROW(restore(diatomic(), displacement), FileError);
    Structure other_fixed = tetrahedron();
    other_fixed.fixed = FixedMask::Constant(3, 4, false);
    other_fixed.fixed(1, 2) = true;
    BOOST_CHECK_THROW(restore(other_fixed, displacement), FileError);
}

BOOST_AUTO_TEST_CASE(input_that_makes_no_sense_is_refused) {
    MorseCalculator morse(depth, a, r0);
    BOOST_CHECK_THROW(md::HessianCalculation(Structure{}, morse, displacement), InputError);
    BOOST_CHECK_THROW(md::HessianCalculation(diatomic(), morse, 0), InputError);
    BOOST_CHECK_THROW(md::HessianCalculation(diatomic(), morse, std::nan("")), InputError);
    BOOST_CHECK_THROW(md::normal_modes(diatomic(), Eigen::MatrixXd::Zero(3, 3)), InputError);
    BOOST_CHECK_THROW(md::normal_modes(diatomic(), Eigen::MatrixXd::Constant(6, 6, std::nan(""))),
                      InputError);
}

BOOST_AUTO_TEST_SUITE_END()

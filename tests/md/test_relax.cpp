// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/relax.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <stop_token>

#include "stembridge/base/errors.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double angstrom = units::angstrom;
constexpr double converged_force = 1e-3 * units::electronvolt_per_angstrom;
const std::vector<std::string> methods = {"fire", "lbfgs", "auto"};

RelaxOptions with_method(const std::string& method) {
    RelaxOptions options;
    options.method = method;
    return options;
}

Structure with_some_fixed(Structure structure) {
    structure.fixed = FixedMask::Constant(3, structure.size(), false);
    structure.fixed.col(3).setConstant(true);
    structure.fixed(2, 5) = true;
    structure.fixed(0, 6) = structure.fixed(1, 6) = true;
    return structure;
}

/// Answers not-a-number, or fails to converge, from some call on.
class FailingCalculator : public SpringCalculator {
  public:
    FailingCalculator(const Structure& first, int good_calls, bool not_a_number)
        : SpringCalculator(first), good_calls_(good_calls), not_a_number_(not_a_number) {}
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override {
        SpringCalculator::evaluate(structure, wanted, out, context);
        if (calls() <= good_calls_) return;
        if (!not_a_number_) throw ConvergenceError("SCC", 100, 0.1, 1e-6, "a test");
        out.forces(1, 2) = std::numeric_limits<double>::quiet_NaN();
    }

  private:
    int good_calls_;
    bool not_a_number_;
};

/// Atoms in wells of their own, as soft as the longest waves of a sheet.
class SoftWells : public Calculator {
  public:
    explicit SoftWells(const Structure& rest) : rest_(rest.positions) {}
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        const Eigen::Matrix3Xd away = structure.positions - rest_;
        out = {};
        out.forces = -away;
        for (Eigen::Index i = 0; i < away.cols(); ++i) {
            out.forces.col(i) *= stiffness(i);
            out.energy += 0.5 * stiffness(i) * away.col(i).squaredNorm();
        }
        out.energy_zero = out.energy;
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "soft wells"; }
    /// 1e-6, 2e-6, 4e-6 ... hartree/bohr^2.
    static double stiffness(Eigen::Index atom) { return 1e-6 * std::pow(2.0, static_cast<double>(atom)); }

  private:
    Eigen::Matrix3Xd rest_;
};

/// Atoms on a ridge: E = sum -k z^2 / 2 + k z^4 / (4 z0^2), lowest at +-z0.
class Ridge : public Calculator {
  public:
    static constexpr double k = 1e-6, z0 = 10;
    void evaluate(const Structure& structure, Wanted, Evaluation& out, const Context&) override {
        out = {};
        out.forces = Eigen::Matrix3Xd::Zero(3, structure.size());
        for (Eigen::Index i = 0; i < structure.size(); ++i) {
            const double z = structure.positions(2, i), u = z * z / (z0 * z0);
            out.energy += k * z * z * (u / 4 - 0.5);
            out.forces(2, i) = k * z * (1 - u);
        }
        out.energy_zero = out.energy;
    }
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "a ridge"; }
};

/// Springs of an electronic model that had to be warmed to converge.
class WarmedCalculator : public SpringCalculator {
  public:
    using SpringCalculator::SpringCalculator;
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override {
        SpringCalculator::evaluate(structure, wanted, out, context);
        out.energy_bound = 1e-9;
        out.electronic_temperature = 1000 * units::kelvin;
        out.fallback = "electronic-temperature";
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_relax)

BOOST_AUTO_TEST_CASE(a_restored_relaxation_still_says_that_a_higher_temperature_was_needed) {
    const Structure sheet = rattled(graphene_sheet(2, 2, true), 0.05);
    WarmedCalculator model(sheet);
    Relaxation before(sheet, model, with_method("lbfgs")), after(sheet, model, with_method("lbfgs"));
    before.step();
    after.restore(before.save());
    const Evaluation restored = after.result().evaluation;
    BOOST_TEST(restored.fallback == "electronic-temperature");
    BOOST_TEST(restored.electronic_temperature.value() == 1000 * units::kelvin);
    BOOST_TEST(restored.energy_bound == 1e-9);
}

BOOST_AUTO_TEST_CASE(a_rattled_sheet_of_200_atoms_relaxes_with_every_method) {
    for (const bool periodic : {true, false}) {
        const Structure sheet = graphene_sheet(10, 5, periodic);
        std::map<std::string, int> calls;
        for (const std::string& method : methods) {
            SpringCalculator springs(sheet);
            Structure structure = rattled(sheet, 0.1 * angstrom);
            const RelaxResult result = relax(structure, springs, with_method(method));
            calls[method] = springs.calls();
            BOOST_TEST_MESSAGE((periodic ? "periodic " : "cluster ")
                               << method << ": " << result.steps << " force evaluations (FIRE "
                               << result.fire_steps << ", L-BFGS " << result.lbfgs_steps << ")");
            BOOST_TEST((result.status == RelaxStatus::converged));
            BOOST_TEST(result.steps == springs.calls());
            BOOST_TEST(result.steps == 1 + result.fire_steps + result.lbfgs_steps);
            BOOST_TEST(result.max_force <= converged_force);
            BOOST_TEST(max_free_force(structure, result.evaluation.forces) == result.max_force);
            // 600 coordinates of force f and softest stiffness 1e-3: energy below 600 f^2 / (2 k) = 1e-4.
            BOOST_TEST(result.evaluation.energy < 1e-4);
        }
        // What the preconditioner is for.
        BOOST_TEST(2 * calls["lbfgs"] < calls["fire"]);
        BOOST_TEST(1.5 * calls["auto"] < calls["fire"]);
    }
}

BOOST_AUTO_TEST_CASE(the_preconditioner_saves_force_evaluations) {
    const Structure sheet = graphene_sheet(10, 5, true);
    std::map<bool, int> steps;
    for (const bool precondition : {false, true}) {
        SpringCalculator springs(sheet);
        Structure structure = rattled(sheet, 0.1 * angstrom);
        RelaxOptions options = with_method("lbfgs");
        options.precondition = precondition;
        steps[precondition] = relax(structure, springs, options).steps;
        BOOST_TEST_MESSAGE((precondition ? "with" : "without") << " preconditioner: " << steps[precondition]);
    }
    BOOST_TEST(steps[true] < steps[false]);
}

BOOST_AUTO_TEST_CASE(valleys_softer_than_the_preconditioner_are_learnt) {
    // Four atoms out of each other's reach: the preconditioner is 1e-5 hartree/bohr^2, ten times the softest
    // well, and alone takes a tenth of the way in each step: 87 of them for the four orders of magnitude
    // asked for here.
    Structure rest;
    rest.atomic_numbers = {6, 6, 6, 6};
    rest.positions = Eigen::Matrix3Xd::Zero(3, 4);
    rest.positions.row(0) << 0, 60, 120, 180;
    Structure start = rest;
    start.positions.colwise() += Eigen::Vector3d(10, -8, 6);
    SoftWells wells(rest);
    RelaxOptions options = with_method("lbfgs");
    options.max_step_length = 100;
    options.max_force = 1e-4 * SoftWells::stiffness(0) * Eigen::Vector3d(10, -8, 6).norm();
    options.energy_noise = 0;
    const RelaxResult result = relax(start, wells, options);
    BOOST_CHECK(result.status == RelaxStatus::converged);
    // Four kinds of curvature take four pairs, and some more as lines are not searched to their minima.
    BOOST_TEST_MESSAGE(result.steps << " evaluations");
    BOOST_TEST(result.steps < 30);
}

BOOST_AUTO_TEST_CASE(a_ridge_is_left_in_steps_that_grow) {
    // The preconditioner, 1e-5 hartree/bohr^2 for atoms on their own, is ten times stiffer than the ridge is
    // steep: alone it gains a tenth in each step and takes 97 of them for the four orders of magnitude to the
    // valley.
    Structure start;
    start.atomic_numbers = {6, 6};
    start.positions = Eigen::Matrix3Xd::Zero(3, 2);
    start.positions.row(0) << 0, 60;
    start.positions.row(2) << 1e-3, -1.5e-3;
    Ridge ridge;
    RelaxOptions options = with_method("lbfgs");
    options.max_step_length = 4;
    options.max_force = 1e-4 * Ridge::k * Ridge::z0;
    options.energy_noise = 0;
    Relaxation relaxation(start, ridge, options);
    // The start has nearly no force, so that the end is asked for in the energy.
    const double lowest = -2 * Ridge::k * Ridge::z0 * Ridge::z0 / 4;
    int steps = 0;
    for (double energy = 0; energy > 0.999 * lowest && steps < 200; ++steps)
        energy = relaxation.step().energy;
    BOOST_TEST_MESSAGE(steps << " evaluations");
    BOOST_TEST(steps < 50);
}

BOOST_AUTO_TEST_CASE(fixed_coordinates_do_not_move_by_a_single_bit) {
    const Structure sheet = with_some_fixed(rattled(graphene_sheet(3, 2, false), 0.1 * angstrom));
    for (const std::string& method : methods) {
        SpringCalculator springs(graphene_sheet(3, 2, false));
        Structure structure = sheet;
        const RelaxResult result = relax(structure, springs, with_method(method));
        BOOST_TEST((result.status == RelaxStatus::converged),
                   method << " " << result.steps << " " << result.max_force);
        for (int atom = 0; atom < sheet.size(); ++atom)
            for (int axis = 0; axis < 3; ++axis) {
                const bool same = same_bits(structure.positions.block(axis, atom, 1, 1),
                                            sheet.positions.block(axis, atom, 1, 1));
                BOOST_TEST(same == sheet.is_fixed(axis, atom));
            }
    }
}

BOOST_AUTO_TEST_CASE(a_restart_after_any_step_continues_to_the_same_bits) {
    const Structure first = graphene_sheet(3, 2, true);
    const Structure start = with_some_fixed(rattled(first, 0.15 * angstrom));
    for (const std::string& method : methods) {
        // Noise in the energy makes L-BFGS reject steps, so that its backtracking is saved too.
        SpringCalculator springs(first);
        NoisyCalculator noisy(springs, 1e-7, 1e-7);
        Relaxation whole(start, noisy, with_method(method));
        std::vector<State> states = {whole.save()};
        std::vector<RelaxStep> steps;
        bool rejected = false;
        while (!whole.finished() && steps.size() < 200) {
            steps.push_back(whole.step());
            states.push_back(whole.save());
            rejected |= !steps.back().accepted;
        }
        BOOST_TEST(whole.finished());
        if (method == "lbfgs") BOOST_TEST(rejected);
        for (std::size_t k = 0; k < states.size(); k += 3) {
            NoisyCalculator again(springs, 1e-7, 1e-7, 99);
            Relaxation resumed(start, again, with_method(method), seeded(5));
            resumed.restore(states[k]);
            for (std::size_t n = k; n < steps.size(); ++n) {
                const RelaxStep now = resumed.step();
                BOOST_REQUIRE(now.energy == steps[n].energy);
                BOOST_REQUIRE(now.max_force == steps[n].max_force);
                BOOST_REQUIRE(now.method == steps[n].method);
            }
            BOOST_TEST((resumed.status() == whole.status()));
            BOOST_TEST(same_bits(resumed.structure().positions, whole.structure().positions));
            BOOST_TEST(same_bits(resumed.result().evaluation.forces, whole.result().evaluation.forces));
            BOOST_TEST(resumed.result().steps == whole.result().steps);
        }
    }
}

BOOST_AUTO_TEST_CASE(accepted_energies_of_lbfgs_never_rise_and_no_step_is_longer_than_allowed) {
    const Structure sheet = graphene_sheet(5, 3, false);
    SpringCalculator springs(sheet);
    Structure structure = rattled(sheet, 0.3 * angstrom);
    RelaxOptions options = with_method("lbfgs");
    options.max_step_length = 0.05 * angstrom;
    double lowest = std::numeric_limits<double>::infinity();
    Eigen::Matrix3Xd before = structure.positions;
    const RelaxResult result = relax(structure, springs, options, [&](const RelaxStep& now) {
        if (now.accepted) {
            BOOST_TEST(now.energy <= lowest + sheet.size() * options.energy_noise);
            lowest = now.energy;
        }
        const double move = std::sqrt((structure.positions - before).colwise().squaredNorm().maxCoeff());
        BOOST_TEST(move <= options.max_step_length * (1 + 1e-12));
        BOOST_TEST(now.largest_move <= options.max_step_length * (1 + 1e-12));
        before = structure.positions;
    });
    BOOST_TEST((result.status == RelaxStatus::converged));
}

BOOST_AUTO_TEST_CASE(noise_of_a_loose_self_consistency_does_not_keep_it_from_converging) {
    // Forces 20 times and energies 1e-8 hartree off: more than an SCC tolerance of 1e-6 leaves behind.
    const Structure sheet = graphene_sheet(6, 3, true);
    for (const std::string& method : methods)
        for (const double energy_noise : {1e-9, 1e-7}) {
            SpringCalculator springs(sheet);
            NoisyCalculator noisy(springs, energy_noise, 1e-6);
            Structure structure = rattled(sheet, 0.1 * angstrom);
            const RelaxResult result = relax(structure, noisy, with_method(method));
            BOOST_TEST_MESSAGE(method << " with noise " << energy_noise << ": " << result.steps);
            // L-BFGS alone may give up where the noise exceeds what it was told; it then says so.
            if (method == "lbfgs" && energy_noise > 1e-8)
                BOOST_TEST(
                    (result.status == RelaxStatus::converged || result.status == RelaxStatus::stalled));
            else
                BOOST_TEST((result.status == RelaxStatus::converged));
        }
}

BOOST_AUTO_TEST_CASE(a_stalled_relaxation_ends_where_a_larger_force_is_allowed) {
    const Structure sheet = graphene_sheet(6, 3, true);
    SpringCalculator springs(sheet);
    NoisyCalculator noisy(springs, 1e-4, 1e-4);
    const Structure start = rattled(sheet, 0.1 * angstrom);
    Relaxation relaxation(start, noisy, with_method("lbfgs"));
    const RelaxResult result = relaxation.run();
    BOOST_REQUIRE((result.status == RelaxStatus::stalled));
    RelaxOptions options = with_method("lbfgs");
    options.max_steps = 1;
    Relaxation same(start, noisy, options);
    same.restore(relaxation.save());
    BOOST_TEST((same.status() == RelaxStatus::stalled));
    options.max_force = 1.1 * result.max_force;
    Relaxation looser(start, noisy, options);
    looser.restore(relaxation.save());
    BOOST_TEST((looser.status() == RelaxStatus::converged));
}

BOOST_AUTO_TEST_CASE(velocities_do_not_outlive_a_relaxation) {
    const Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    Structure structure = rattled(sheet, 0.1 * angstrom);
    structure.velocities = Eigen::Matrix3Xd::Ones(3, structure.size());
    relax(structure, springs, {});
    BOOST_TEST(structure.velocities.cols() == 0);
}

BOOST_AUTO_TEST_CASE(a_flat_sheet_under_compression_buckles_unless_told_to_stay_flat) {
    const Structure sheet = graphene_sheet(6, 4, true);
    SpringOptions pressed;
    pressed.stretch = 1.03;  // bonds want to be 3 % longer than the cell allows
    SpringCalculator springs(sheet, pressed);
    Structure structure = sheet;
    const RelaxResult buckled = relax(structure, springs, {});
    BOOST_TEST(buckled.perturbed);
    BOOST_TEST((buckled.status == RelaxStatus::converged));
    const double height = structure.positions.row(2).maxCoeff() - structure.positions.row(2).minCoeff();
    BOOST_TEST(height > 0.5 * angstrom);

    Structure flat = sheet;
    RelaxOptions options;
    options.flat_perturbation = 0;
    const RelaxResult stayed = relax(flat, springs, options);
    BOOST_TEST(!stayed.perturbed);
    BOOST_TEST(flat.positions.row(2).maxCoeff() == flat.positions.row(2).minCoeff());
    BOOST_TEST(buckled.evaluation.energy < stayed.evaluation.energy - 0.01);
}

BOOST_AUTO_TEST_CASE(the_perturbation_leaves_fixed_heights_and_rough_structures_alone) {
    Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    sheet.fixed = FixedMask::Constant(3, sheet.size(), false);
    sheet.fixed.row(2).setConstant(true);
    BOOST_TEST(same_bits(Relaxation(sheet, springs, {}).structure().positions, sheet.positions));
    sheet.fixed.resize(3, 0);
    sheet.positions(2, 0) += 0.01;
    BOOST_TEST(same_bits(Relaxation(sheet, springs, {}).structure().positions, sheet.positions));
    sheet.positions(2, 0) = sheet.positions(2, 1);
    const Relaxation a(sheet, springs, {}, seeded(1)), b(sheet, springs, {}, seeded(1)),
        c(sheet, springs, {}, seeded(2));
    BOOST_TEST(same_bits(a.structure().positions, b.structure().positions));
    BOOST_TEST(!same_bits(a.structure().positions, c.structure().positions));
}

BOOST_AUTO_TEST_CASE(far_from_a_minimum_and_with_loose_atoms_it_still_arrives) {
    // Eight atoms thrown at random: overlapping, and one far out where the wells hardly reach.
    Structure cloud;
    Random random(4);
    while (cloud.size() < 8) {
        const Eigen::Vector3d r(random.uniform(0, 7), random.uniform(0, 7), random.uniform(0, 7));
        if (cloud.size() == 0 || (cloud.positions.colwise() - r).colwise().norm().minCoeff() > 1.5)
            cloud.add(6, r);
    }
    cloud.add(1, Eigen::Vector3d(12, 3, 3));
    for (const std::string& method : methods) {
        MorseCalculator morse(0.1, 0.7, 3.0);
        Structure structure = cloud;
        const RelaxResult result = relax(structure, morse, with_method(method));
        BOOST_TEST((result.status == RelaxStatus::converged), method << " " << to_string(result.status));
    }
}

BOOST_AUTO_TEST_CASE(it_stops_on_request_and_can_go_on) {
    const Structure sheet = graphene_sheet(3, 2, true);
    SpringCalculator springs(sheet);
    std::stop_source source;
    Context context;
    context.stop = source.get_token();
    Relaxation relaxation(rattled(sheet, 0.1), springs, {}, context);
    const RelaxResult stopped = relaxation.run([&](const RelaxStep& now) {
        if (now.step == 4) source.request_stop();
    });
    BOOST_TEST((stopped.status == RelaxStatus::stopped));
    BOOST_TEST(stopped.steps == 4);

    Relaxation resumed(sheet, springs, {});
    resumed.restore(relaxation.save());
    BOOST_TEST((resumed.run().status == RelaxStatus::converged));
}

BOOST_AUTO_TEST_CASE(the_number_of_steps_is_limited) {
    const Structure sheet = graphene_sheet(3, 2, true);
    SpringCalculator springs(sheet);
    Structure structure = rattled(sheet, 0.1);
    RelaxOptions options;
    options.max_steps = 5;
    const RelaxResult result = relax(structure, springs, options);
    BOOST_TEST((result.status == RelaxStatus::out_of_steps));
    BOOST_TEST(springs.calls() == 5);
}

BOOST_AUTO_TEST_CASE(a_structure_that_cannot_move_is_converged_at_once) {
    Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    Structure structure = rattled(sheet, 0.1);
    structure.fixed = FixedMask::Constant(3, structure.size(), true);
    for (const std::string& method : methods) {
        Relaxation relaxation(structure, springs, with_method(method));
        BOOST_TEST((relaxation.run().status == RelaxStatus::converged));
        BOOST_TEST(relaxation.result().steps == 1);
        Relaxation again(structure, springs, with_method(method));
        again.restore(relaxation.save());
        BOOST_TEST(again.finished());
    }
}

BOOST_AUTO_TEST_CASE(a_failing_calculator_leaves_the_last_accepted_structure) {
    const Structure sheet = graphene_sheet(2, 2, true);
    for (const std::string& method : methods) {
        FailingCalculator not_converging(sheet, 3, false), not_a_number(sheet, 3, true);
        Structure structure = rattled(sheet, 0.1);
        Relaxation relaxation(structure, not_converging, with_method(method));
        BOOST_CHECK_THROW(relaxation.run(), ConvergenceError);
        BOOST_TEST(relaxation.result().steps == 3);
        Evaluation check;
        SpringCalculator(sheet).evaluate(relaxation.structure(), {}, check, {});
        BOOST_TEST(check.energy == relaxation.result().evaluation.energy);
        BOOST_CHECK_THROW(relax(structure, not_a_number, with_method(method)), NumericalError);
    }
}

BOOST_AUTO_TEST_CASE(a_self_consistency_that_fails_far_from_the_last_structure_gets_a_shorter_step) {
    /// Fails once at the third evaluation; remembers which one was the last.
    class Fussy : public SpringCalculator {
      public:
        using SpringCalculator::SpringCalculator;
        void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                      const Context& context) override {
            remembered.push_back(memory_);
            SpringCalculator::evaluate(structure, wanted, out, context);
            memory_ = calls();
            if (calls() == 3) throw ConvergenceError("SCC", 100, 0.1, 1e-6, "a test");
        }
        State save() const override {
            State state;
            state.put("memory", std::int64_t{memory_});
            return state;
        }
        void restore(const State& state) override { memory_ = static_cast<int>(state.integer("memory")); }
        std::vector<int> remembered;  // at the beginning of each evaluation

      private:
        int memory_ = 0;
    };
    const Structure sheet = graphene_sheet(3, 2, true);
    Fussy fussy(sheet);
    Structure structure = rattled(sheet, 0.1);
    std::vector<double> moves;
    const RelaxResult result = relax(structure, fussy, with_method("lbfgs"),
                                     [&](const RelaxStep& now) { moves.push_back(now.largest_move); });
    BOOST_TEST((result.status == RelaxStatus::converged));
    // The shorter step starts from the charges of the accepted structure, not from those that failed.
    BOOST_TEST(fussy.remembered[3] == 2);
    BOOST_TEST(fussy.remembered[4] == 4);
    BOOST_TEST(result.steps == fussy.calls() - 1);
    // The shorter step is a tenth of what was tried, which itself was shorter than the one before.
    BOOST_TEST(moves[2] < 0.1 * moves[1]);
}

BOOST_AUTO_TEST_CASE(energies_at_different_electronic_temperatures_are_not_compared) {
    /// Warmer from the third evaluation on, where the energy of every structure is another by as much.
    class Warming : public SpringCalculator {
      public:
        using SpringCalculator::SpringCalculator;
        void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                      const Context& context) override {
            SpringCalculator::evaluate(structure, wanted, out, context);
            const bool warm = calls() >= 3;
            out.electronic_temperature = (warm ? 1000 : 300) * units::kelvin;
            if (warm) out.energy += 100;
        }
    };
    const Structure sheet = graphene_sheet(3, 2, true);
    Warming warming(sheet);
    Relaxation relaxation(rattled(sheet, 0.1), warming, with_method("lbfgs"));
    for (int k = 0; k < 2; ++k) relaxation.step();
    BOOST_TEST(relaxation.step().accepted);  // downhill, once the structure before is evaluated at 1000 K too
    BOOST_TEST(warming.calls() == 4);
    BOOST_TEST((relaxation.run().status == RelaxStatus::converged));
    BOOST_TEST(relaxation.result().steps == warming.calls() - 1);
}

BOOST_AUTO_TEST_CASE(the_last_evaluation_is_as_good_as_the_calculator_can) {
    /// Charges that are as far off as the wanted forces allow.
    class SelfConsistent : public SpringCalculator {
      public:
        using SpringCalculator::SpringCalculator;
        void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                      const Context& context) override {
            SpringCalculator::evaluate(structure, wanted, out, context);
            out.residual = wanted.force_accuracy + 1e-9;
        }
    };
    const Structure sheet = graphene_sheet(3, 2, true);
    SelfConsistent calculator(sheet);
    for (const std::string& method : methods) {
        Structure structure = rattled(sheet, 0.1);
        const RelaxResult result = relax(structure, calculator, with_method(method));
        BOOST_TEST((result.status == RelaxStatus::converged));
        BOOST_TEST(result.evaluation.residual == 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(senseless_options_and_foreign_checkpoints_are_refused) {
    const Structure sheet = graphene_sheet(2, 2, true);
    SpringCalculator springs(sheet);
    const auto refused = [&](auto change) {
        RelaxOptions options;
        change(options);
        BOOST_CHECK_THROW(Relaxation(sheet, springs, options), InputError);
    };
    refused([](RelaxOptions& o) { o.method = "newton"; });
    refused([](RelaxOptions& o) { o.max_force = 0; });
    refused([](RelaxOptions& o) { o.max_steps = 0; });
    refused([](RelaxOptions& o) { o.max_step_length = -1; });
    refused([](RelaxOptions& o) { o.memory = 0; });
    BOOST_CHECK_THROW(Relaxation(Structure{}, springs, {}), InputError);

    Relaxation relaxation(sheet, springs, {});
    relaxation.step();
    Structure other = sheet;
    other.atomic_numbers[1] = 14;
    BOOST_CHECK_THROW(Relaxation(other, springs, {}).restore(relaxation.save()), FileError);
    BOOST_CHECK_THROW(Relaxation(sheet, springs, {}).restore(State{}), FileError);
}

BOOST_AUTO_TEST_SUITE_END()

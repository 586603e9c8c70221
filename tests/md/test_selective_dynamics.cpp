// SPDX-License-Identifier: Apache-2.0
// What is held fixed does not move by one bit, in no optimiser and no integrator, whatever the rule.
#include <boost/test/unit_test.hpp>

#include "stembridge/md/dynamics.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/structure/builders.hpp"
#include "support/spring_calculator.hpp"

using namespace stembridge;
using stembridge::testing::rattled;
using stembridge::testing::SpringCalculator;
using units::angstrom;

namespace {

/// A flake ended with H, out of its rest positions by 0.1 angstrom in every direction.
struct Flake {
    Structure at_rest, start;
    Flake() {
        BuildReport report;
        at_rest = terminate_with_hydrogen(graphene_flake(7 * angstrom), {}, report).structure;
        start = rattled(at_rest, 0.1 * angstrom);
    }
};

/// The paper's rules, and lists of atoms and axes.
const std::vector<std::vector<std::string>> rules = {{"perimeter"},
                                                     {"xy"},
                                                     {"species:H"},
                                                     {"perimeter:xy", "indices:1,3-5:z"},
                                                     {"indices:2:x", "indices:2:y", "species:H:z"}};

/// Free coordinates move, fixed ones keep their bits.
void check(const Structure& before, const Structure& after) {
    int n_fixed = 0, n_moved = 0, n_free = 0, n_at_rest = 0;
    for (int atom = 0; atom < before.size(); ++atom)
        for (int axis = 0; axis < 3; ++axis) {
            const bool same = before.positions(axis, atom) == after.positions(axis, atom);
            if (before.is_fixed(axis, atom)) {
                ++n_fixed;
                n_moved += same ? 0 : 1;
            } else {
                ++n_free;
                n_at_rest += same ? 1 : 0;
            }
        }
    BOOST_TEST(n_fixed > 0);
    BOOST_TEST(n_moved == 0);
    BOOST_TEST(n_free > 0);
    BOOST_TEST(n_at_rest == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_selective_dynamics)

BOOST_AUTO_TEST_CASE(no_optimiser_moves_a_fixed_coordinate) {
    const Flake flake;
    for (const auto& held : rules)
        for (const char* method : {"fire", "lbfgs", "auto"}) {
            Structure structure = flake.start;
            for (const std::string& rule : held) fix_atoms(structure, rule);
            const Structure before = structure;
            SpringCalculator springs(flake.at_rest);
            md::RelaxOptions options;
            options.method = method;
            options.max_steps = 40;
            md::relax(structure, springs, options);
            BOOST_TEST_CONTEXT(held.front() << ", " << method) check(before, structure);
        }
}

BOOST_AUTO_TEST_CASE(no_integrator_moves_a_fixed_coordinate) {
    const Flake flake;
    for (const auto& held : rules)
        for (const char* ensemble : {"nve", "nvt", "langevin"}) {
            Structure structure = flake.start;
            for (const std::string& rule : held) fix_atoms(structure, rule);
            SpringCalculator springs(flake.at_rest);
            md::DynamicsOptions options;
            options.ensemble = ensemble;
            options.timestep = 0.5 * units::femtosecond;
            md::MolecularDynamics dynamics(structure, springs, options);
            dynamics.run(60);
            BOOST_TEST_CONTEXT(held.front() << ", " << ensemble) {
                check(structure, dynamics.structure());
                for (int atom = 0; atom < structure.size(); ++atom)
                    for (int axis = 0; axis < 3; ++axis)
                        if (structure.is_fixed(axis, atom))
                            BOOST_REQUIRE(dynamics.structure().velocities(axis, atom) == 0.0);
            }
        }
}

BOOST_AUTO_TEST_CASE(a_relaxation_converges_over_the_free_coordinates_alone) {
    const Flake flake;
    Structure structure = flake.start;
    fix_atoms(structure, "xy");
    SpringCalculator springs(flake.at_rest);
    const md::RelaxResult result = md::relax(structure, springs, {});
    BOOST_TEST((result.status == md::RelaxStatus::converged));
    // In the plane the rattled atoms still pull at each other; out of it nothing does.
    BOOST_TEST(result.evaluation.forces.topRows(2).cwiseAbs().maxCoeff() >
               1e3 * result.evaluation.forces.row(2).cwiseAbs().maxCoeff());
    BOOST_TEST(result.max_force <= md::RelaxOptions{}.max_force);
}

BOOST_AUTO_TEST_SUITE_END()

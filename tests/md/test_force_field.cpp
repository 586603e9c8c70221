// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/force_field.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/structure/builders.hpp"
#include "support/spring_calculator.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::md;
using namespace stembridge::testing;

namespace {

constexpr double angstrom = units::angstrom;

/// A flake with edge hydrogen, a silicon atom and a vacancy, all its coordinates shaken.
Structure shaken_flake(double deviation) {
    Structure flake = graphene_flake(8 * angstrom);
    BuildReport report;
    flake = without_atoms(flake, {20});
    flake = terminate_with_hydrogen(flake, {}, report).structure;
    flake.atomic_numbers[3] = 14;
    return rattled(flake, deviation);
}

double height(const Structure& structure) {
    return structure.positions.row(2).maxCoeff() - structure.positions.row(2).minCoeff();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_force_field)

BOOST_AUTO_TEST_CASE(gradients_of_every_kind_of_coordinate_match_finite_differences) {
    const Structure flake = shaken_flake(0.1 * angstrom);
    std::map<InternalCoordinate::Kind, int> seen;
    const ForceField model(flake);
    for (const InternalCoordinate& q : model.coordinates()) {
        if (++seen[q.kind] > 20) continue;
        const CoordinateValue now = value_of(q, flake);
        for (int k = 0; k < q.n_atoms; ++k)
            for (int axis = 0; axis < 3; ++axis) {
                constexpr double step = 1e-4;
                Structure moved = flake;
                moved.positions(axis, q.atoms[static_cast<std::size_t>(k)]) += step;
                const double above = value_of(q, moved).value;
                moved.positions(axis, q.atoms[static_cast<std::size_t>(k)]) -= 2 * step;
                const double slope = (above - value_of(q, moved).value) / (2 * step);
                BOOST_TEST(std::abs(now.gradient(axis, k) - slope) < 1e-8);
            }
    }
    BOOST_TEST(seen.size() == 4u);
}

BOOST_AUTO_TEST_CASE(forces_match_finite_differences_of_the_energy) {
    const Structure flake = shaken_flake(0.1 * angstrom);
    ForceField model(flake);
    Evaluation now;
    model.evaluate(flake, {}, now, {});
    BOOST_TEST(now.energy > 0.1);
    BOOST_TEST((now.forces - numerical_forces(model, flake)).cwiseAbs().maxCoeff() < 1e-6);
    BOOST_TEST(now.forces.rowwise().sum().norm() < 1e-12);
}

BOOST_AUTO_TEST_CASE(stress_matches_finite_differences_where_bonds_cross_the_border_of_the_cell) {
    // The smallest cell: bonds, angles and chains go through images of the same atoms.
    const Structure sheet = rattled(stembridge::graphene_sheet(1, 1), 0.1);
    ForceField model(sheet);
    Evaluation now;
    model.evaluate(sheet, {.forces = true, .stress = true}, now, {});
    BOOST_TEST((now.forces - numerical_forces(model, sheet)).cwiseAbs().maxCoeff() < 1e-6);
    BOOST_TEST((now.stress.value() - numerical_stress(model, sheet)).cwiseAbs().maxCoeff() < 1e-8);
}

BOOST_AUTO_TEST_CASE(graphene_at_its_bond_length_is_at_rest_and_a_larger_cell_has_the_same_energy_per_atom) {
    const Structure sheet = stembridge::graphene_sheet(3, 2, 1.4255 * angstrom);
    ForceField model(sheet);
    Evaluation at_rest;
    model.evaluate(sheet, {}, at_rest, {});
    BOOST_TEST(at_rest.energy < 1e-20);
    BOOST_TEST(at_rest.forces.cwiseAbs().maxCoeff() < 1e-12);

    const Structure small = rattled(stembridge::graphene_sheet(2, 1), 0.1),
                    large = supercell(small, {2, 3, 1});
    ForceField of_small(small), of_large(large);
    Evaluation one, six;
    of_small.evaluate(small, {}, one, {});
    of_large.evaluate(large, {}, six, {});
    BOOST_TEST(six.energy == 6 * one.energy, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(the_sheet_is_as_stiff_as_graphene_in_and_out_of_its_plane) {
    // Two-dimensional bulk modulus: energy density 2 B strain^2, B = 200 to 260 N/m by DFT and DFTB.
    const Structure sheet = stembridge::graphene_sheet(4, 3, 1.4255 * angstrom);
    ForceField model(sheet);
    const auto energy_of = [&](const Structure& structure) {
        Evaluation result;
        model.evaluate(structure, {}, result, {});
        return result.energy;
    };
    const double area = sheet.cell.vector(0).cross(sheet.cell.vector(1)).norm();
    constexpr double strain = 1e-3, newton_per_metre = 1 / 1556.893;
    Structure stretched = sheet;
    stretched.positions.topRows(2) *= 1 + strain;
    stretched.cell.vectors.leftCols(2) *= 1 + strain;
    const double bulk = energy_of(stretched) / (2 * area * strain * strain);
    BOOST_TEST(bulk / newton_per_metre > 200);
    BOOST_TEST(bulk / newton_per_metre < 260);
    // A wave of amplitude h and length L: energy density D (2 pi / L)^4 h^2 / 4, D = 1.2 to 1.6 eV by DFT and
    // DFTB.
    const Structure strip = stembridge::graphene_sheet(16, 1, 1.4255 * angstrom);
    const double length = strip.cell.vectors(0, 0), h = 0.01 * angstrom;
    Structure wave = strip;
    for (int i = 0; i < wave.size(); ++i)
        wave.positions(2, i) += h * std::sin(2 * M_PI * wave.positions(0, i) / length);
    ForceField of_strip(strip);
    Evaluation bent;
    of_strip.evaluate(wave, {}, bent, {});
    const double rigidity =
        4 * bent.energy /
        (strip.cell.vector(0).cross(strip.cell.vector(1)).norm() * h * h * std::pow(2 * M_PI / length, 4));
    BOOST_TEST_MESSAGE("bending rigidity " << rigidity / units::electronvolt << " eV");
    BOOST_TEST(rigidity / units::electronvolt > 1.2);
    BOOST_TEST(rigidity / units::electronvolt < 1.6);
}

BOOST_AUTO_TEST_CASE(silicon_in_a_single_vacancy_leaves_the_plane) {
    Structure flake = graphene_flake(9 * angstrom);
    flake.atomic_numbers[0] = 14;
    flake.positions(2, 0) = 0.05;
    ForceField model(flake);
    const RelaxResult result = relax(flake, model, {});
    BOOST_TEST((result.status == RelaxStatus::converged));
    BOOST_TEST(height(flake) > 0.8 * angstrom);
    BOOST_TEST(height(flake) < 2.0 * angstrom);
}

BOOST_AUTO_TEST_CASE(other_elements_are_refused_by_name) {
    Structure flake = graphene_flake(4 * angstrom);
    BOOST_TEST(ForceField::knows(flake));
    flake.atomic_numbers[2] = 24;
    BOOST_TEST(!ForceField::knows(flake));
    BOOST_CHECK_EXCEPTION(ForceField{flake}, InputError, [](const InputError& error) {
        return std::string(error.what()).find("Cr") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Where spins start decides which order they find, with the built-in set.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "sheets.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;
namespace tt = boost::test_tools;

namespace {

/// @param unpaired initial moments; empty = those of the program
Evaluation evaluate(const Structure& structure, const std::vector<double>& unpaired, int kpoints = 1) {
    SccDftbOptions o = testing::builtin_options();
    o.spin.polarized = true;
    o.spin.initial_moments =
        Eigen::Map<const Eigen::VectorXd>(unpaired.data(), static_cast<Eigen::Index>(unpaired.size()));
    o.kpoints.divisions = {kpoints, 1, 1};
    o.electronic_temperature = 100 * units::kelvin;
    Evaluation out;
    make_scc_dftb(o)->evaluate(structure, {}, out, {});
    return out;
}

Structure hydrogen(double distance_angstrom) {
    Structure h2;
    h2.add(1, Eigen::Vector3d::Zero());
    h2.add(1, Eigen::Vector3d(distance_angstrom * units::angstrom, 0, 0));
    return h2;
}

/// A ribbon of n zigzag chains along x, its edges ended with H: H, the carbons from edge to edge, H.
Structure zigzag_ribbon(int n) {
    constexpr double bond = 1.42 * units::angstrom, h_bond = 1.09 * units::angstrom;
    const double period = std::sqrt(3.0) * bond;
    Structure ribbon;
    double y = 0;
    ribbon.add(1, Eigen::Vector3d(0, -h_bond, 0));
    for (int chain = 0; chain < n; ++chain) {
        const double x = chain % 2 == 0 ? 0 : period / 2;
        ribbon.add(6, Eigen::Vector3d(x, y, 0));
        ribbon.add(6, Eigen::Vector3d(x + period / 2, y + bond / 2, 0));
        y += 1.5 * bond;
    }
    ribbon.add(1, ribbon.positions.rightCols<1>() + Eigen::Vector3d(0, h_bond, 0));
    ribbon.cell.vectors =
        Eigen::Vector3d(period, y + 15 * units::angstrom, 15 * units::angstrom).asDiagonal();
    ribbon.cell.periodic = {true, false, false};
    return ribbon;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_initial_moments)

// Two atoms far apart, each with its electron: opposite spins are the ground state, which without spin or
// with parallel ones is not found.
BOOST_AUTO_TEST_CASE(a_broken_bond_keeps_its_two_electrons_apart) {
    const Structure apart = hydrogen(3.5);
    const Evaluation opposite = evaluate(apart, {1, -1}), parallel = evaluate(apart, {1, 1});
    BOOST_TEST(opposite.spin_moments(0) > 0.99);
    BOOST_TEST(opposite.spin_moments(1) < -0.99);
    BOOST_TEST(parallel.spin_moments.sum() == 2, tt::tolerance(1e-6));
    // The electrons exchange places: 4 t^2 / U below, a small part of the bond.
    const double atom = evaluate(hydrogen(50), {1, -1}).energy / 2;
    BOOST_TEST(opposite.energy < parallel.energy - 1e-6);
    BOOST_TEST(std::abs(opposite.energy - 2 * atom) < 1e-3);
    // At the length of a bond there is nothing to keep apart.
    const Evaluation bond = evaluate(hydrogen(0.75), {1, -1});
    BOOST_TEST(bond.spin_moments.cwiseAbs().maxCoeff() < 1e-3);
}

// What has no spin has none by symmetry; a calculator that has seen the bond whole still finds what is lower.
BOOST_AUTO_TEST_CASE(a_bond_that_is_pulled_apart_finds_its_spins) {
    for (const bool given : {false, true}) BOOST_TEST_CONTEXT("initial moments given: " << given) {
            SccDftbOptions o = testing::builtin_options();
            o.spin.polarized = true;
            if (given) o.spin.initial_moments = Eigen::Vector2d(1, -1);
            const auto reused = make_scc_dftb(o);
            std::unique_ptr<Calculator> resumed;
            for (const double distance : {0.74, 1.2, 2.0, 3.0, 4.0}) {
                Evaluation kept, fresh;
                reused->evaluate(hydrogen(distance), {}, kept, {});
                make_scc_dftb(o)->evaluate(hydrogen(distance), {}, fresh, {});
                BOOST_TEST(kept.energy <= fresh.energy + 1e-6,
                           distance << ": " << kept.energy << " above " << fresh.energy);
                if (resumed) {
                    Evaluation same;
                    resumed->evaluate(hydrogen(distance), {}, same, {});
                    BOOST_TEST(same.energy == kept.energy);
                }
                resumed = make_scc_dftb(o);
                resumed->restore(reused->save());
            }
        }
}

// Moments at the two edges of a zigzag ribbon are opposite to each other in the ground state.
// @source Son, Cohen, Louie, Phys. Rev. Lett. 97, 216803 (2006)
BOOST_AUTO_TEST_CASE(edges_of_a_zigzag_ribbon_are_antiferromagnetic) {
    const Structure ribbon = zigzag_ribbon(4);
    std::vector<double> start(static_cast<std::size_t>(ribbon.size()), 0.0);
    const std::size_t one = 1, other = start.size() - 2;
    start[one] = start[other] = 0.4;
    const Evaluation ferro = evaluate(ribbon, start, 24);
    start[other] = -0.4;
    const Evaluation antiferro = evaluate(ribbon, start, 24);
    BOOST_TEST(ferro.spin_moments(1) > 0.1);
    BOOST_TEST(ferro.spin_moments(ferro.spin_moments.size() - 2) == ferro.spin_moments(1),
               tt::tolerance(1e-3));
    BOOST_TEST(antiferro.spin_moments(1) > 0.1);
    BOOST_TEST(std::abs(antiferro.spin_moments.sum()) < 1e-4);
    BOOST_TEST(antiferro.spin_moments(antiferro.spin_moments.size() - 2) < -0.1);
    // Some meV a cell; the ferromagnetic order is a minimum of its own.
    const double gain = (ferro.energy - antiferro.energy) / units::electronvolt;
    BOOST_TEST(gain > 1e-3);
    BOOST_TEST(gain < 3e-2);
}

BOOST_AUTO_TEST_CASE(turned_over_they_turn_the_result_over) {
    const Structure ribbon = zigzag_ribbon(3);
    std::vector<double> up(static_cast<std::size_t>(ribbon.size()), 0.0), down = up;
    up[1] = 0.4;
    down[1] = -0.4;
    const Evaluation a = evaluate(ribbon, up, 8), b = evaluate(ribbon, down, 8);
    BOOST_TEST((a.spin_moments + b.spin_moments).cwiseAbs().maxCoeff() < 1e-5);
    BOOST_TEST(std::abs(a.energy - b.energy) < 1e-8);
}

BOOST_AUTO_TEST_CASE(what_atoms_cannot_have_is_refused) {
    const auto refused = [](const std::vector<double>& moments, const char* words) {
        BOOST_CHECK_EXCEPTION(evaluate(hydrogen(2), moments), InputError, [&](const InputError& error) {
            return std::string(error.what()).find(words) != std::string::npos;
        });
    };
    refused({1}, "those of 1 atoms, the structure has 2");
    refused({1, -1.5}, "atom 2 (H) cannot have -1.5 unpaired electrons, at most 1");
    refused({1, std::nan("")}, "not a finite number");
    SccDftbOptions o = testing::builtin_options();
    o.spin.initial_moments = Eigen::Vector2d(1, -1);
    BOOST_CHECK_THROW(make_scc_dftb(o), InputError);  // without spin
}

BOOST_AUTO_TEST_SUITE_END()

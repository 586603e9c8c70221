// SPDX-License-Identifier: Apache-2.0
// Two-centre integrals: closed forms, symmetry, convergence, tables.
#include "stembridge/dft/two_centre.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "two_centre_support.hpp"

using namespace stembridge;
using namespace stembridge::dft;
using namespace stembridge::dft::testing;

namespace {

/// A nucleus with its own hydrogenic orbitals: the density is below the threshold of the functional.
PseudoAtom bare_nucleus(std::vector<Shell> shells, std::vector<std::pair<int, int>> valence) {
    AtomOptions options;
    options.atomic_number = 1;
    options.shells = std::move(shells);
    options.shells.front().up = 1e-20;
    options.grid.radius = 60;
    PseudoAtom result;
    result.wave = result.density = solve_atom(options);
    result.valence = std::move(valence);
    return result;
}

/// @param reversed the second are those of the other order of the pair
double largest_difference(const TwoCentreIntegrals& a, const TwoCentreIntegrals& b, bool reversed) {
    double largest = 0;
    for (std::size_t l1 = 0; l1 < 4; ++l1)
        for (std::size_t l2 = 0; l2 < 4; ++l2)
            for (std::size_t m = 0; m < 4; ++m) {
                const double sign = reversed && (l1 + l2) % 2 != 0 ? -1 : 1;
                const std::size_t i = reversed ? l2 : l1, j = reversed ? l1 : l2;
                largest =
                    std::max(largest, std::abs(a.hamiltonian[l1][l2][m] - sign * b.hamiltonian[i][j][m]));
                largest = std::max(largest, std::abs(a.overlap[l1][l2][m] - sign * b.overlap[i][j][m]));
            }
    return largest;
}

std::size_t slater_count(const SlaterFunctions& slater) {
    return slater.exponents.size() * static_cast<std::size_t>(slater.powers);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_two_centre)

BOOST_AUTO_TEST_CASE(hydrogenic_1s_integrals_have_their_closed_forms) {
    const PseudoAtom h = bare_nucleus({{1, 0, 0, 0}}, {{1, 0}});
    TwoCentreOptions options;
    options.tolerance = 1e-9;
    const TwoCentre pair(h, h, options);
    for (const double r : {0.5, 1.4, 3.0, 8.0}) {
        const TwoCentreIntegrals found = pair.at(r);
        // S = exp(-R) (1 + R + R^2/3); H = -S/2 - <a|1/r_a|b>, <a|1/r_a|b> = exp(-R) (1 + R).
        const double s = std::exp(-r) * (1 + r + r * r / 3);
        BOOST_TEST(std::abs(found.overlap[0][0][0] - s) < 1e-8);
        BOOST_TEST(std::abs(found.hamiltonian[0][0][0] + 0.5 * s + std::exp(-r) * (1 + r)) < 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(overlaps_at_a_vanishing_distance_are_those_of_one_atom) {
    // Different l are orthogonal on one centre, equal ones normalised, to first order in the distance.
    const PseudoAtom h = bare_nucleus({{1, 0, 0, 0}, {2, 1, 0, 0}, {3, 2, 0, 0}, {4, 3, 0, 0}},
                                      {{1, 0}, {2, 1}, {3, 2}, {4, 3}});
    const TwoCentreIntegrals near = TwoCentre(h, h, {}).at(0.11);
    for (std::size_t l = 0; l < 4; ++l)
        for (std::size_t m = 0; m <= l; ++m) BOOST_TEST(std::abs(near.overlap[l][l][m] - 1) < 5e-3);
    BOOST_TEST(std::abs(near.overlap[0][2][0]) < 1e-3);
    BOOST_TEST(std::abs(near.overlap[1][3][1]) < 1e-3);
}

BOOST_AUTO_TEST_CASE(the_kinetic_operator_and_potential_give_the_level_of_a_lone_atom) {
    // Far from the other (neutral) atom nothing is left; the sign convention makes s-p positive at bond
    // length.
    const PseudoAtom c = carbon();
    const TwoCentre pair(c, c, {});
    const TwoCentreIntegrals bond = pair.at(2.7);
    BOOST_TEST(bond.hamiltonian[0][1][0] > 0.2);
    BOOST_TEST(bond.hamiltonian[0][0][0] < -0.2);
    BOOST_TEST(bond.overlap[1][1][1] > 0.1);
    BOOST_TEST(std::abs(pair.at(25.0).overlap[1][1][0]) < 1e-9);
}

BOOST_AUTO_TEST_CASE(both_orders_of_a_pair_agree) {
    const PseudoAtom c = carbon(), cr = chromium();
    TwoCentreOptions options;
    for (const Superposition superposition : {Superposition::density, Superposition::potential}) {
        options.superposition = superposition;
        const TwoCentre ab(c, cr, options), ba(cr, c, options), homonuclear(cr, cr, options);
        for (const double r : {1.5, 3.7, 6.0}) {
            BOOST_TEST(largest_difference(ab.at(r), ba.at(r), true) < 1e-9);
            const TwoCentreIntegrals same = homonuclear.at(r);
            BOOST_TEST(largest_difference(same, same, true) < 1e-9);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_integral_of_every_pair_is_converged) {
    // Against a finer radial basis and a ten times smaller tolerance of the two-centre grid.
    RadialGrid finer;
    finer.intervals = 110;
    finer.degree = 9;
    finer.gauss_points = 18;
    const std::vector<PseudoAtom> usual = {hydrogen(), carbon(), silicon(), chromium()},
                                  fine = {hydrogen(finer), carbon(finer), silicon(finer), chromium(finer)};
    TwoCentreOptions options;
    options.tolerance = 1e-7;
    for (std::size_t i = 0; i < usual.size(); ++i)
        for (std::size_t j = i; j < usual.size(); ++j) {
            const TwoCentre ab(usual[i], usual[j], {}), ba(usual[j], usual[i], {}),
                better(fine[i], fine[j], options);
            for (const double r : {1.4, 2.6, 3.9, 7.0}) {
                const TwoCentreIntegrals found = ab.at(r);
                BOOST_TEST_INFO_SCOPE("elements " << i << ", " << j << " at " << r << " bohr");
                BOOST_TEST(found.error < 1e-6);
                BOOST_TEST(largest_difference(found, better.at(r), false) < 1e-6);
                BOOST_TEST(largest_difference(found, ba.at(r), true) < 1e-9);
            }
        }
}

// The complete basis is the limit of Slater functions: the overlaps of H and C with ever more of them tend to
// those of the splines, and the energies of the atoms to theirs from above. Three exponents of H and four of
// C with three powers each (the basis of mio-1-1) are 3.2e-4 away from the limit, which is why
// test_reference_two_centre allows that much.
BOOST_AUTO_TEST_CASE(larger_slater_bases_tend_to_the_splines) {
    const PseudoAtom h = hydrogen(), c = carbon();
    const auto overlaps = [](const PseudoAtom& a, const PseudoAtom& b) {
        const TwoCentre pair(a, b, {});
        std::vector<double> values;
        for (double r = 1.4; r < 8; r += 0.2) {
            const TwoCentreIntegrals found = pair.at(r);
            values.push_back(found.overlap[0][0][0]);
            values.push_back(found.overlap[0][1][0]);
        }
        return values;
    };
    const std::vector<double> limit = overlaps(h, c);
    struct Basis {
        SlaterFunctions hydrogen, carbon;
    };
    const std::vector<Basis> bases = {{{{0.5, 1, 2}, 2}, {{0.5, 1.14, 2.62, 6}, 2}},
                                      {{{0.5, 1, 2}, 3}, {{0.5, 1.14, 2.62, 6}, 3}},
                                      {{{0.5, 1, 2}, 4}, {{0.5, 1.14, 2.62, 6}, 4}},
                                      {{{0.5, 1, 2, 4}, 4}, {{0.5, 1.14, 2.62, 6, 13.8}, 4}}};
    std::vector<double> largest;
    double energy_above_h = 1, energy_above_c = 1;
    for (const Basis& basis : bases) {
        const PseudoAtom slater_h =
            pseudo_atom(1, "1s1", 3.0, 2.5, {{1, 0}}, Relativity::none, {basis.hydrogen});
        const PseudoAtom slater_c = pseudo_atom(6, "[He] 2s2 2p2", 2.7, 7.0, {{2, 0}, {2, 1}},
                                                Relativity::none, {basis.carbon, basis.carbon});
        const std::vector<double> values = overlaps(slater_h, slater_c);
        largest.push_back(0);
        for (std::size_t k = 0; k < values.size(); ++k)
            largest.back() = std::max(largest.back(), std::abs(values[k] - limit[k]));
        // The variational principle.
        const double above_h = slater_h.wave.energy - h.wave.energy,
                     above_c = slater_c.wave.energy - c.wave.energy;
        BOOST_TEST(above_h > -1e-8);
        BOOST_TEST(above_c > -1e-8);
        BOOST_TEST(above_h < energy_above_h);
        BOOST_TEST(above_c < energy_above_c);
        energy_above_h = above_h;
        energy_above_c = above_c;
        BOOST_TEST_MESSAGE("overlaps of H and C with "
                           << slater_count(basis.hydrogen) << " and " << slater_count(basis.carbon)
                           << " Slater functions per l: " << largest.back() << " from the splines; energies "
                           << above_h << ", " << above_c << " hartree above");
    }
    for (std::size_t k = 1; k < largest.size(); ++k) BOOST_TEST(largest[k] < 0.25 * largest[k - 1]);
    BOOST_TEST(largest[1] > 3e-4);
    BOOST_TEST(largest.back() < 1e-5);
}

BOOST_AUTO_TEST_CASE(tables_hold_both_orders_and_end_where_nothing_is_left) {
    const PseudoAtom h = hydrogen(), c = carbon();
    const TwoCentre pair(h, c, {});
    TableOptions options;
    options.spacing = 0.2;
    options.first_distance = 0.8;
    const auto [hc, ch] = integral_tables(pair, options, "H-C", {});
    const TwoCentreIntegrals at_two = pair.at(2.0);
    BOOST_TEST(hc.hamiltonian(10, 0, 1, 0) == at_two.hamiltonian[0][1][0]);
    BOOST_TEST(ch.hamiltonian(10, 0, 0, 0) == at_two.hamiltonian[0][0][0]);
    BOOST_TEST(ch.hamiltonian(10, 0, 1, 0) == 0);  // hydrogen has no p
    BOOST_TEST(std::abs(hc.first_distance() - 0.8) < 1e-12);
    BOOST_TEST(hc.overlap(3, 0, 0, 0) == 0);
    BOOST_TEST(hc.last_distance() > 7);
    BOOST_TEST(hc.last_distance() < 14);
    BOOST_TEST(std::abs(hc.overlap(hc.n_rows, 0, 0, 0)) < options.end_tolerance);
    BOOST_TEST(!hc.extended);

    std::stop_source source;
    source.request_stop();
    Context stopped;
    stopped.stop = source.get_token();
    BOOST_CHECK_THROW(integral_tables(pair, options, "H-C", stopped), StoppedError);
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused) {
    const PseudoAtom c = carbon();
    BOOST_CHECK_THROW(TwoCentre(c, c, {}).at(0.0), InputError);
    BOOST_CHECK_THROW(TwoCentre(c, c, {}).at(std::nan("")), InputError);
    TwoCentreOptions options;
    options.functional = "nothing";
    BOOST_CHECK_THROW(TwoCentre(c, c, options), InputError);
    PseudoAtom twice = c;
    twice.valence = {{1, 0}, {2, 0}};
    BOOST_CHECK_THROW(TwoCentre(twice, c, {}), InputError);
    TableOptions table;
    table.spacing = 0;
    BOOST_CHECK_THROW(integral_tables(TwoCentre(c, c, {}), table, "C-C", {}), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

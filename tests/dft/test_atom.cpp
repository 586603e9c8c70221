// SPDX-License-Identifier: Apache-2.0
// The confined atom: exact one-electron solutions, virial theorem, published levels, convergence, bad input.
#include "stembridge/dft/atom.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

using namespace stembridge;
using namespace stembridge::dft;

namespace {

AtomOptions options_of(int z, const std::string& configuration) {
    AtomOptions options;
    options.atomic_number = z;
    options.shells = parse_configuration(configuration);
    return options;
}

double eigenvalue(const Atom& atom, int n, int l) {
    return atom.levels[static_cast<std::size_t>(atom.level(n, l))].eigenvalue[0];
}

/// So little charge that the density is below the threshold of the functional: only the nucleus acts.
AtomOptions bare_nucleus(int z, Relativity relativity) {
    AtomOptions options;
    options.atomic_number = z;
    options.relativity = relativity;
    options.shells = {{1, 0, 1e-20, 0}, {2, 0, 0, 0}, {2, 1, 0, 0}, {3, 2, 0, 0}};
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_atom)

BOOST_AUTO_TEST_CASE(a_bare_nucleus_gives_the_hydrogenic_levels) {
    const Atom atom = solve_atom(bare_nucleus(10, Relativity::none));
    // E = -Z^2 / (2 n^2).
    BOOST_TEST(std::abs(eigenvalue(atom, 1, 0) + 50.0) < 1e-8);
    BOOST_TEST(std::abs(eigenvalue(atom, 2, 0) + 12.5) < 1e-8);
    BOOST_TEST(std::abs(eigenvalue(atom, 2, 1) + 12.5) < 1e-8);
    BOOST_TEST(std::abs(eigenvalue(atom, 3, 2) + 50.0 / 9) < 1e-8);
}

BOOST_AUTO_TEST_CASE(zora_of_a_bare_nucleus_is_the_scaled_dirac_level) {
    // E_zora = E_D / (1 + E_D / (2 c^2)); van Lenthe, Baerends, Snijders, J. Chem. Phys. 101, 9783 (1994).
    // The scalar operator leaves out spin-orbit coupling, which does not act on 1s to first order: relative
    // 1e-4.
    const double c = 137.035999084, z = 24;
    const double dirac = c * c * (std::sqrt(1 - z * z / (c * c)) - 1);
    const double expected = dirac / (1 + dirac / (2 * c * c));
    const double zora = eigenvalue(solve_atom(bare_nucleus(24, Relativity::zora)), 1, 0);
    BOOST_TEST_MESSAGE("ZORA 1s " << zora << ", expected " << expected);
    BOOST_TEST(std::abs(zora - expected) < 2e-4 * std::abs(expected));
    BOOST_TEST(zora < -z * z / 2 - 1);
}

BOOST_AUTO_TEST_CASE(exchange_only_atoms_obey_the_virial_theorem) {
    // Exchange functionals scale linearly, so that 2 T + V = 0 for the self-consistent density.
    for (const char* functional : {"lda_x", "gga_x_pbe"}) {
        AtomOptions options = options_of(6, "[He] 2s2 2p2");
        options.functional = functional;
        const Atom carbon = solve_atom(options);
        BOOST_TEST(std::abs(2 * carbon.kinetic + carbon.nuclear + carbon.hartree + carbon.xc) < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(levels_of_free_atoms_agree_with_published_ones) {
    // To 2e-5 hartree: mio-1-1 (C), 3ob-3-1 (H), pbc-0-3 (Si, non-relativistic), QUASINANO2013 (ZORA).
    const Atom h = solve_atom(options_of(1, "1s1"));
    BOOST_TEST(std::abs(eigenvalue(h, 1, 0) + 0.23860040) < 2e-5);
    const Atom c = solve_atom(options_of(6, "[He] 2s2 2p2"));
    BOOST_TEST(std::abs(eigenvalue(c, 2, 0) + 0.50489172) < 2e-5);
    BOOST_TEST(std::abs(eigenvalue(c, 2, 1) + 0.19435511) < 2e-5);
    AtomOptions si_options = options_of(14, "[Ne] 3s2 3p2");
    const Atom si = solve_atom(si_options);
    BOOST_TEST(std::abs(eigenvalue(si, 3, 0) + 0.39572506) < 2e-5);
    BOOST_TEST(std::abs(eigenvalue(si, 3, 1) + 0.15031380) < 2e-5);
    si_options.relativity = Relativity::zora;
    const Atom si_zora = solve_atom(si_options);
    BOOST_TEST(std::abs(eigenvalue(si_zora, 3, 0) + 0.397349) < 2e-5);
    BOOST_TEST(std::abs(eigenvalue(si_zora, 3, 1) + 0.149976) < 2e-5);
    AtomOptions cr_options = options_of(24, "[Ar] 3d5 4s1 4p0");
    cr_options.relativity = Relativity::zora;
    const Atom cr = solve_atom(cr_options);
    BOOST_TEST(std::abs(eigenvalue(cr, 3, 2) + 0.107113) < 2e-5);
    BOOST_TEST(std::abs(eigenvalue(cr, 4, 0) + 0.147221) < 2e-5);
    BOOST_TEST(std::abs(eigenvalue(cr, 4, 1) + 0.036319) < 2e-5);
}

BOOST_AUTO_TEST_CASE(a_finer_basis_and_grid_change_nothing) {
    AtomOptions options = options_of(24, "[Ar] 3d5 4s1 4p0");
    options.relativity = Relativity::zora;
    const Atom coarse = solve_atom(options);
    options.grid.intervals = 110;
    options.grid.degree = 9;
    options.grid.gauss_points = 18;
    const Atom fine = solve_atom(options);
    for (const auto& [n, l] : {std::pair(3, 2), {4, 0}, {4, 1}, {3, 1}})
        BOOST_TEST(std::abs(eigenvalue(coarse, n, l) - eigenvalue(fine, n, l)) < 1e-7);
    BOOST_TEST(std::abs(coarse.energy - fine.energy) < 1e-5);  // the 1s core of ZORA
    options = options_of(6, "[He] 2s2 2p2");
    const double before = solve_atom(options).energy;
    options.grid.intervals = 110;
    BOOST_TEST(std::abs(before - solve_atom(options).energy) < 1e-7);
}

BOOST_AUTO_TEST_CASE(neutral_ground_states_from_hydrogen_to_krypton_converge) {
    double last = 0;
    for (int z = 1; z <= 36; ++z) {
        AtomOptions options;
        options.atomic_number = z;
        options.shells = ground_state(z);
        options.spin_polarized = true;
        options.relativity = z > 18 ? Relativity::zora : Relativity::none;
        const Atom atom = solve_atom(options);
        BOOST_TEST_INFO(element_symbol(z));
        BOOST_TEST(atom.n_electrons() == z);
        BOOST_TEST(atom.energy < last);
        // Every occupied level of a neutral atom is bound.
        for (const Level& level : atom.levels) {
            if (level.shell.up > 0) BOOST_TEST(level.eigenvalue[0] < 0);
        }
        last = atom.energy;
    }
}

BOOST_AUTO_TEST_CASE(confinement_raises_levels_and_pulls_orbitals_in) {
    AtomOptions options = options_of(6, "[He] 2s2 2p2");
    const Atom free = solve_atom(options);
    options.confinement = {Confinement::power(2.7), Confinement::power(2.7)};
    const Atom squeezed = solve_atom(options);
    BOOST_TEST(eigenvalue(squeezed, 2, 1) > eigenvalue(free, 2, 1) + 0.05);
    const int p = free.level(2, 1);
    BOOST_TEST(std::abs(squeezed.orbitals.value(p, 6.0)) < 0.2 * std::abs(free.orbitals.value(p, 6.0)));
    // The outermost lobe is positive.
    BOOST_TEST(squeezed.orbitals.value(squeezed.level(2, 0), 2.0) > 0);
    // A wall of another shape acts too.
    options.confinement = {Confinement::woods_saxon(3, 4, 3.5), Confinement::woods_saxon(3, 4, 3.5)};
    BOOST_TEST(eigenvalue(solve_atom(options), 2, 1) > eigenvalue(free, 2, 1) + 0.01);
}

BOOST_AUTO_TEST_CASE(hartree_potential_of_a_neutral_atom_screens_its_nucleus) {
    const Atom atom = solve_atom(options_of(6, "[He] 2s2 2p2"));
    BOOST_TEST(std::abs(atom.hartree_potential.value(0, 30.0) - 6) < 1e-9);
    BOOST_TEST(std::abs(atom.hartree_potential.value(0, 15.0) - 6) < 1e-5);
    BOOST_TEST(atom.hartree_potential.value(0, 1.0) < 5);
}

BOOST_AUTO_TEST_CASE(slater_functions_reproduce_the_published_generator) {
    // LDA carbon with exponents 0.5 1.14 2.62 6.0 and three powers: skprogs gives -0.500803, -0.199145.
    AtomOptions options = options_of(6, "[He] 2s2 2p2");
    options.functional = "lda";
    options.slater = {{{0.5, 1.14, 2.62, 6.0}, 3}, {{0.5, 1.14, 2.62, 6.0}, 3}};
    const Atom atom = solve_atom(options);
    BOOST_TEST(std::abs(eigenvalue(atom, 2, 0) + 0.500803) < 1e-6);
    BOOST_TEST(std::abs(eigenvalue(atom, 2, 1) + 0.199145) < 1e-6);
    const int p = atom.level(2, 1);
    BOOST_TEST(atom.orbitals.value(p, 1.5) > 0.1);
}

BOOST_AUTO_TEST_CASE(configurations_are_parsed_and_mistakes_named) {
    const std::vector<Shell> cr = parse_configuration("[Ar] 3d5 4s1 4p0");
    BOOST_TEST(cr.size() == 8u);
    BOOST_TEST(cr[5].occupation() == 5);
    BOOST_TEST(without_spin(ground_state(24))[5].occupation() == 5);
    BOOST_CHECK_THROW(parse_configuration("2s2 2x1"), InputError);
    BOOST_CHECK_THROW(parse_configuration("2s3"), InputError);
    BOOST_CHECK_THROW(parse_configuration("1p1"), InputError);
    BOOST_CHECK_THROW(parse_configuration("2s2 [He]"), InputError);
    BOOST_CHECK_THROW(parse_configuration("2s1 2s1"), InputError);
    BOOST_CHECK_THROW(parse_configuration(""), InputError);
    BOOST_CHECK_THROW(ground_state(92), InputError);
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused) {
    AtomOptions options = options_of(6, "[He] 2s2 2p2");
    options.functional = "no_such_functional";
    BOOST_CHECK_THROW(solve_atom(options), InputError);
    options.functional = "hyb_gga_xc_b3lyp";  // known, but not of a kind that is possible here
    BOOST_CHECK_THROW(solve_atom(options), InputError);
    options.functional = "mgga_x_tpss";
    BOOST_CHECK_THROW(solve_atom(options), InputError);
    options.functional = "pbe+";
    BOOST_CHECK_THROW(solve_atom(options), InputError);
    BOOST_CHECK_THROW(Confinement::power(0.2), InputError);
    BOOST_CHECK_THROW(Confinement::power(-1), InputError);
    BOOST_CHECK_THROW(Confinement::power(3, 0), InputError);
    options = options_of(6, "[He] 2s2 2p2");
    options.shells[0].up = 1.5;
    BOOST_CHECK_THROW(solve_atom(options), InputError);
    options = options_of(6, "[He] 2s2 2p2");
    options.grid.degree = 40;
    BOOST_CHECK_THROW(solve_atom(options), InputError);
    options = options_of(6, "[He] 2s2 2p2");
    options.max_iterations = 2;
    BOOST_CHECK_THROW(solve_atom(options), ConvergenceError);
}

BOOST_AUTO_TEST_SUITE_END()

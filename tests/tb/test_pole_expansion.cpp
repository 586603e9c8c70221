// SPDX-License-Identifier: Apache-2.0
// The pole expansion from its scalar functions to forces, against exact functions and full diagonalisation.
#include <omp.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <stop_token>

#include "density/parallel_tasks.hpp"
#include "density/pole_expansion/fermi_level.hpp"
#include "density/pole_expansion/multifrontal.hpp"
#include "density/pole_expansion/poles.hpp"
#include "sheets.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/properties.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "support/support.hpp"
#include "synthetic.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using namespace stembridge::testing;
using Complex = std::complex<double>;

namespace {

constexpr double ev_per_kelvin = 8.617333262e-5;

PoleExpansion::Window window(double kelvin, double shift = 2) {
    const double kT_ev = ev_per_kelvin * kelvin;
    return {-25 / kT_ev, 200 / kT_ev, shift};
}

struct Solved {
    Density density;
    BlockMatrix weighted, states;
    std::string name;
    std::vector<std::string> warnings;
};

Solved solve(const std::string& solver, const ElectronicState& m, const Electrons& electrons,
             double accuracy = 0, double warm = 3000 * units::kelvin) {
    Solved result;
    Context context;
    context.log_sink = [&](Context::Level level, std::string_view text) {
        if (level == Context::Level::warning) result.warnings.emplace_back(text);
    };
    const auto s = make_density_solver(solver);
    s->set_context(context);
    s->set_accuracy(accuracy);
    s->analyze(m.pattern, KPoints{});
    s->set_overlap(m.overlap);
    std::vector<BlockMatrix> h = m.hamiltonian;
    if (electrons.n_spins == 2 && h.size() == 1) {
        // Two different channels.
        h.push_back(h[0]);
        for (std::size_t k = 0; k < h[1].values().size(); ++k)
            h[1].values()[k] += 0.02 * m.overlap.values()[k];
    }
    s->solve(h, electrons, result.density);
    s->energy_weighted(result.weighted);
    s->states_at_fermi_level(warm, result.states);
    result.name = s->name();
    return result;
}

/// All that a solve gives, against diagonalisation. @param error of a density matrix element
void compare(const ElectronicState& m, const Electrons& electrons, double error) {
    const Solved poles = solve("pole-expansion", m, electrons), dense = solve("dense", m, electrons);
    BOOST_TEST(poles.name == "pole-expansion");
    BOOST_TEST(poles.warnings.empty());
    const double n_atoms = m.basis.n_atoms();
    for (std::size_t s = 0; s < dense.density.matrices.size(); ++s) {
        BOOST_CHECK_SMALL(difference(poles.density.matrices[s], dense.density.matrices[s]), error);
        // In a gap the number of electrons hardly changes with the Fermi level.
        if (dense.density.gap < 10 * electrons.kT)
            BOOST_CHECK_SMALL(poles.density.fermi_levels[s] - dense.density.fermi_levels[s],
                              1e-4 * electrons.kT);
    }
    BOOST_CHECK_SMALL(difference(poles.weighted, dense.weighted), 5 * error);
    BOOST_CHECK_SMALL((poles.density.band_energy - dense.density.band_energy) / n_atoms, 2e-8);
    BOOST_CHECK_SMALL((poles.density.ts - dense.density.ts) / n_atoms, 1e-8);
    double number = 0;
    for (const BlockMatrix& p : poles.density.matrices) number += trace_of_product(p, m.overlap);
    BOOST_CHECK_SMALL(number - electrons.number, 1e-7 * electrons.number);
    // The local densities of states are for a preconditioner: a thousandth will do, and in a wide gap, where
    // there are none, a hundredth of the 0.8 per hartree of the bonds.
    const Eigen::VectorXd mine = mulliken_populations(poles.states, m.overlap),
                          exact = mulliken_populations(dense.states, m.overlap);
    BOOST_CHECK_SMALL((mine - exact).cwiseAbs().maxCoeff(), 2e-3 * exact.cwiseAbs().maxCoeff() + 8e-3);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_pole_expansion)

BOOST_AUTO_TEST_CASE(poles_give_the_fermi_function_the_entropy_and_the_energy_over_the_whole_window) {
    struct Case {
        double kelvin;
        int n_poles;
        double f, energy_ev;
    };
    // Errors measured for poles of this kind; those of the energy are absolute at up to 200 eV.
    for (const Case& c :
         {Case{100, 28, 2e-7, 8e-6}, {300, 24, 2e-7, 2e-6}, {1000, 24, 2e-7, 6e-6}, {5000, 20, 1e-7, 6e-6}}) {
        const PoleExpansion p(window(c.kelvin), c.n_poles);
        BOOST_TEST(p.poles().size() <= static_cast<std::size_t>(c.n_poles) + 2);
        for (const Complex z : p.poles()) BOOST_TEST(z.imag() > 1e-3);
        for (const double d : {-2.0, -0.7, 0.0, 1.3}) {
            BOOST_TEST(p.error([d](double x) { return fermi_function(x - d); }) < c.f);
            BOOST_TEST(p.error([d](double x) { return entropy_function(x - d); }) < 5e-6);
            BOOST_TEST(ev_per_kelvin * c.kelvin * p.error([d](double x) {
                return (x - d) * fermi_function(x - d);
            }) < c.energy_ev);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sum_over_poles_has_the_known_values_of_the_fermi_function) {
    // 1/2, 1/(1+e), 1/(1+e^5); the entropy at zero is ln 2.
    const PoleExpansion p(window(300), 24);
    const auto sum = [&](const Eigen::VectorXcd& w, double x) {
        double s = 0;
        for (Eigen::Index j = 0; j < w.size(); ++j)
            s += 2 * (w(j) / (x - p.poles()[static_cast<std::size_t>(j)])).real();
        return s;
    };
    BOOST_CHECK_SMALL(sum(p.fermi_weights(0), 0) - 0.5, 1e-7);
    BOOST_CHECK_SMALL(sum(p.fermi_weights(0), 1) - 0.26894142137, 1e-7);
    BOOST_CHECK_SMALL(sum(p.fermi_weights(2), 3) - 0.26894142137, 2e-7);
    BOOST_CHECK_SMALL(sum(p.fermi_weights(0), -5) - 0.99330714908, 1e-7);
    BOOST_CHECK_SMALL(sum(p.entropy_weights(0), 0) - 0.69314718056, 1e-7);
    BOOST_CHECK_SMALL(sum(p.energy_weights(0), -900) + 900, 1e-4);
}

BOOST_AUTO_TEST_CASE(poles_on_the_contour_converge_exponentially) {
    // 300 K, -25 to 200 eV: 40 poles 2e-5, 60 poles 1e-7 in an independent implementation.
    BOOST_TEST(PoleExpansion::on_contour(window(300), 40).largest_error() < 5e-5);
    BOOST_TEST(PoleExpansion::on_contour(window(300), 40).largest_error() > 1e-6);
    BOOST_TEST(PoleExpansion::on_contour(window(300), 60).largest_error() < 3e-7);
}

BOOST_AUTO_TEST_CASE(selected_inverse_is_the_inverse_where_the_pattern_has_blocks) {
    for (const Structure& s : {ragged_flake(8, 0.05, {20, 21}), gapped_sheet(5)}) {
        const auto m = matrices(s);
        const Symbolic symbolic(m->pattern);
        // A hundredth of an electronvolt off the axis is as hard as it gets at 40 K.
        const Complex z(-0.2, 4e-4);
        const Eigen::MatrixXd h = m->hamiltonian[0].folded(), overlap = m->overlap.folded();
        const Eigen::MatrixXcd exact = (h - z * overlap).inverse();
        std::vector<Complex> g(m->pattern.n_values()), rough(m->pattern.n_values());
        Multifrontal<Complex> factor(symbolic);
        factor.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(), z, {});
        factor.selected_inverse(g.data(), {});
        Multifrontal<std::complex<float>> single(symbolic);
        single.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(),
                         std::complex<float>(z), {});
        single.selected_inverse(rough.data(), {});
        double worst = 0, worst_rough = 0;
        for (const Block& b : m->pattern.blocks())
            for (int j = 0; j < m->basis.n_orbitals(b.j); ++j)
                for (int i = 0; i < m->basis.n_orbitals(b.i); ++i) {
                    const std::size_t k =
                        b.offset + static_cast<std::size_t>(j * m->basis.n_orbitals(b.i) + i);
                    const Complex e = exact(m->basis.first_orbital(b.i) + i, m->basis.first_orbital(b.j) + j);
                    worst = std::max(worst, std::abs(g[k] - e));
                    worst_rough = std::max(worst_rough, std::abs(rough[k] - e));
                }
        const double scale = exact.cwiseAbs().maxCoeff();
        BOOST_TEST(worst < 1e-10 * scale);
        BOOST_TEST(worst_rough < 1e-2 * scale);
        BOOST_TEST(worst_rough > 1e-9 * scale);  // it is single precision
    }
}

BOOST_AUTO_TEST_CASE(signs_of_pivots_count_the_eigenvalues) {
    for (const Structure& s : {ragged_flake(8, 0.1, {5, 40}), gapped_sheet(5)}) {
        const auto m = matrices(s);
        const Eigen::VectorXd e = Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd>(
                                      m->hamiltonian[0].folded(), m->overlap.folded(), Eigen::EigenvaluesOnly)
                                      .eigenvalues();
        const Symbolic symbolic(m->pattern);
        Multifrontal<double> factor(symbolic);
        std::vector<double> energies = {e(0) - 0.01, e(0) + 1e-6, e(e.size() - 1) - 1e-6,
                                        e(e.size() - 1) + 0.01};
        for (Eigen::Index k = 3; k + 1 < e.size(); k += e.size() / 20) energies.push_back(e(k) + 1e-7);
        for (const double energy : energies)
            BOOST_TEST(factor.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(), energy,
                                        {}) == (e.array() < energy).count());
        const auto counts = [&](const std::vector<double>& at) {
            std::vector<double> result;
            for (const double energy : at)
                result.push_back(static_cast<double>((e.array() < energy).count()));
            return result;
        };
        // Far-off starts lead to the same levels; a fraction of a level is in the level.
        const Eigen::Index half = e.size() / 2;
        for (const double start : {-5.0, -0.2, 3.0}) {
            const FrontierLevels f = frontier_levels(counts, static_cast<double>(half), start, 1e-6);
            BOOST_CHECK_SMALL(f.homo - e(half - 1), 2e-6);
            BOOST_TEST(std::abs(f.lumo - e(half)) <= 1e-6 + 0.1 * (e(half) - e(half - 1)));
            BOOST_CHECK_SMALL(
                frontier_levels(counts, static_cast<double>(half) + 0.5, start, 1e-6).middle() - e(half),
                2e-6);
        }
    }
}

BOOST_AUTO_TEST_CASE(benzene_agrees_with_diagonalisation) {
    const auto m = matrices(benzene());
    for (const double kelvin : {100.0, 300.0, 1000.0, 5000.0}) compare(*m, neutral(*m, kelvin), 1e-6);
}

BOOST_AUTO_TEST_CASE(a_metallic_flake_with_vacancies_agrees_with_diagonalisation) {
    const auto m = matrices(ragged_flake(9, 0.03, {30, 31, 60}));
    for (const double kelvin : {100.0, 300.0, 1000.0}) compare(*m, neutral(*m, kelvin), 3e-7);
    // An odd electron, and a fraction of one.
    Electrons odd = neutral(*m, 300);
    odd.number -= 1;
    compare(*m, odd, 3e-7);
    odd.number -= 0.3;
    compare(*m, odd, 3e-7);
}

BOOST_AUTO_TEST_CASE(a_gapped_periodic_sheet_agrees_with_diagonalisation) {
    const auto m = matrices(gapped_sheet(6));
    for (const double kelvin : {100.0, 300.0, 1000.0}) compare(*m, neutral(*m, kelvin), 3e-7);
}

BOOST_AUTO_TEST_CASE(a_strongly_rattled_sheet_with_levels_above_100_ev_agrees_with_diagonalisation) {
    Structure s = ragged_flake(7, 0.05);
    // Two atoms at 0.95 angstrom.
    s.positions.col(1) =
        s.positions.col(0) + 0.95 * units::angstrom * (s.positions.col(1) - s.positions.col(0)).normalized();
    const auto m = matrices(s);
    const double highest = Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd>(
                               m->hamiltonian[0].folded(), m->overlap.folded(), Eigen::EigenvaluesOnly)
                               .eigenvalues()
                               .maxCoeff();
    BOOST_TEST(highest > 50 * units::electronvolt);
    compare(*m, neutral(*m, 300), 3e-7);
}

BOOST_AUTO_TEST_CASE(two_spins_agree_with_diagonalisation) {
    const auto m = matrices(ragged_flake(6, 0.03));
    Electrons e = neutral(*m, 500);
    e.n_spins = 2;
    compare(*m, e, 3e-7);
    e.unpaired = 4;
    compare(*m, e, 3e-7);
}

BOOST_AUTO_TEST_CASE(single_precision_is_used_only_where_it_is_good_enough) {
    const auto m = matrices(ragged_flake(9, 0.03, {30}));
    const Electrons e = neutral(*m, 300);
    const Solved exact = solve("dense", *m, e), rough = solve("pole-expansion", *m, e, 1e-4),
                 fine = solve("pole-expansion", *m, e, 1e-7);
    const auto error = [&](const Solved& s) {
        return difference(s.density.matrices[0], exact.density.matrices[0]);
    };
    BOOST_TEST(error(rough) < 1e-4);
    BOOST_TEST(error(rough) > 1e-7);
    BOOST_TEST(error(fine) < 1e-7);
}

BOOST_AUTO_TEST_CASE(forces_are_the_slope_of_the_energy) {
    const testing::TemporaryFolder folder;
    testing::write_synthetic_set(folder.path());
    SccDftbOptions o = testing::synthetic_options(folder.path(), 2000);
    // As tight as the electron number of the poles allows.
    o.scc.tolerance = 1e-8;
    o.solver = "pole-expansion";
    for (const Structure& s : {testing::molecule(), testing::crystal()}) {
        SccDftb calculator(o);
        Evaluation out;
        calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
        BOOST_TEST(out.solver == "pole-expansion");
        const Eigen::Matrix3Xd slope = testing::numerical_forces(calculator, s, 5e-3);
        // Energies of the expansion are smooth to 1e-8 hartree, over 2 x 5e-3 bohr.
        BOOST_CHECK_SMALL((out.forces - slope).cwiseAbs().maxCoeff(), 1e-5);
        o.solver = "dense";
        SccDftb oracle(o);
        Evaluation exact;
        oracle.evaluate(s, {.forces = true, .stress = false}, exact, Context{});
        BOOST_CHECK_SMALL(out.energy - exact.energy, 1e-7);
        BOOST_CHECK_SMALL((out.forces - exact.forces).cwiseAbs().maxCoeff(), 1e-6);
        BOOST_CHECK_SMALL((out.charges - exact.charges).cwiseAbs().maxCoeff(), 1e-6);
        o.solver = "pole-expansion";
    }
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_changes_nothing) {
    const auto m = matrices(ragged_flake(8, 0.03, {30}));
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const Solved one = solve("pole-expansion", *m, neutral(*m, 300));
    omp_set_num_threads(3);
    const Solved three = solve("pole-expansion", *m, neutral(*m, 300));
    omp_set_num_threads(before);
    BOOST_CHECK_SMALL(one.density.band_energy - three.density.band_energy, 1e-10);
    BOOST_CHECK_SMALL(difference(one.density.matrices[0], three.density.matrices[0]), 1e-11);
}

BOOST_AUTO_TEST_CASE(blas_starts_no_threads_within_tasks_however_few_they_are) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(2);
    for (const int n_threads : {1, 2}) {
        std::array<int, 3> threads_of_blas{};
        parallel_tasks(3, n_threads, [&](int task, int) {
            // What OpenBLAS would take: one in a team, else as many as OpenMP offers.
            threads_of_blas[static_cast<std::size_t>(task)] = omp_in_parallel() ? 1 : omp_get_max_threads();
        });
        for (const int n : threads_of_blas) BOOST_TEST(n == 1);
    }
    BOOST_TEST(omp_get_max_threads() == 2);
    omp_set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(levels_below_the_window_widen_it) {
    auto m = matrices(benzene());
    // A deep level, 60 eV below the others, on the first carbon atom.
    for (const Block& b : m->pattern.blocks())
        if (b.on_site() && b.i == 0) m->hamiltonian[0].block(b)(0, 0) -= 60 * units::electronvolt;
    compare(*m, neutral(*m, 300), 2e-6);
}

BOOST_AUTO_TEST_CASE(a_fermi_level_that_jumps_is_found_again) {
    const auto m = matrices(ragged_flake(6, 0.03));
    const Electrons e = neutral(*m, 300);
    const auto solver = make_density_solver("pole-expansion");
    solver->analyze(m->pattern, KPoints{});
    solver->set_overlap(m->overlap);
    Density first, second;
    solver->solve(m->hamiltonian, e, first);
    // All levels up by 3 eV.
    std::vector<BlockMatrix> h = m->hamiltonian;
    for (std::size_t k = 0; k < h[0].values().size(); ++k)
        h[0].values()[k] += 3 * units::electronvolt * m->overlap.values()[k];
    solver->solve(h, e, second);
    BOOST_CHECK_SMALL(second.fermi_levels[0] - first.fermi_levels[0] - 3 * units::electronvolt, 1e-6);
    BOOST_CHECK_SMALL(difference(first.matrices[0], second.matrices[0]), 1e-6);
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_are_an_error_and_not_a_result) {
    auto m = matrices(benzene());
    m->hamiltonian[0].values()[0] = std::nan("");
    for (const char* solver : {"pole-expansion", "dense"})
        BOOST_CHECK_THROW(solve(solver, *m, neutral(*m, 300)), NumericalError);
}

BOOST_AUTO_TEST_CASE(what_poles_cannot_do_is_done_by_diagonalisation_with_a_warning) {
    const auto m = matrices(benzene());
    Electrons e = neutral(*m, 300);
    e.filling = Filling::gaussian;
    const Solved gaussian = solve("pole-expansion", *m, e);
    BOOST_TEST(gaussian.name == "dense");
    BOOST_TEST(gaussian.warnings.size() == 1u);
    BOOST_CHECK_SMALL(difference(gaussian.density.matrices[0], solve("dense", *m, e).density.matrices[0]),
                      1e-13);
    const Solved cold = solve("pole-expansion", *m, neutral(*m, 0));
    BOOST_TEST(cold.name == "dense");
    BOOST_TEST(cold.warnings.size() == 1u);
    // Levels so deep that no window is wide enough.
    auto deep = matrices(benzene());
    for (const Block& b : deep->pattern.blocks())
        if (b.on_site() && b.i == 0) deep->hamiltonian[0].block(b)(0, 0) -= 300 * units::electronvolt;
    const Solved far = solve("pole-expansion", *deep, neutral(*deep, 300));
    BOOST_TEST(far.name == "dense");
    BOOST_TEST(far.warnings.size() == 1u);
    BOOST_CHECK_SMALL(
        difference(far.density.matrices[0], solve("dense", *deep, neutral(*deep, 300)).density.matrices[0]),
        1e-13);
}

namespace {

/// Swings every atom of a structure, each with its own phase. @param width bohr
Structure swung(Structure s, double width, int step) {
    for (Eigen::Index k = 0; k < s.positions.size(); ++k)
        s.positions(k) += width * std::sin(0.3 * step + static_cast<double>(k));
    return s;
}

void check_same(const Evaluation& a, const Evaluation& b) {
    BOOST_TEST(a.energy == b.energy);
    BOOST_TEST((a.forces.array() == b.forces.array()).all());
    BOOST_TEST((a.charges.array() == b.charges.array()).all());
    BOOST_TEST(a.iterations == b.iterations);
}

/// Goes on from what was saved after the first step and after later ones.
void check_restored(const SccDftbOptions& options, const Structure& first, const std::string& solver) {
    SccDftb whole(options);
    State before;
    constexpr int steps = 8;  // charges of the dynamics are on their own from the seventh on
    for (int step = 0; step < steps; ++step) {
        const Structure s = swung(first, 0.1, step);
        Evaluation direct, restored;
        whole.evaluate(s, {.forces = true, .stress = false}, direct, Context{});
        BOOST_TEST(direct.solver == solver);
        if (step % 3 != 1) {
            before = whole.save();
            continue;
        }
        BOOST_TEST_CONTEXT("step " << step) {
            SccDftb other(options);
            other.restore(before);
            other.evaluate(s, {.forces = true, .stress = false}, restored, Context{});
            check_same(direct, restored);
            before = whole.save();
            BOOST_TEST((other.save().values() == before.values()));
        }
    }
}

SccDftbOptions with_poles() {
    SccDftbOptions o = builtin_options();
    o.solver = "pole-expansion";
    o.scc.tolerance = 1e-5;  // loose, so that the past shows
    o.electronic_temperature = 1000 * units::kelvin;
    return o;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_restored_calculator_goes_on_to_the_same_bits) {
    const Structure flake = ragged_flake(3, 0.03);
    for (const int cycles_per_step : {0, 1})
        for (const std::optional<double> unpaired : {std::optional<double>(), std::optional<double>(2)})
            for (const bool polarized : {false, true}) {
                if (unpaired && !polarized) continue;
                BOOST_TEST_CONTEXT(cycles_per_step << " cycles per step, polarized " << polarized
                                                   << ", fixed moment " << unpaired.has_value()) {
                    SccDftbOptions o = with_poles();
                    o.scc.cycles_per_step = cycles_per_step;
                    o.spin.polarized = polarized;
                    o.spin.unpaired = unpaired;
                    check_restored(o, flake, "pole-expansion");
                }
            }
}

BOOST_AUTO_TEST_CASE(also_at_k_points_and_on_a_device) {
    SccDftbOptions o = with_poles();
    o.kpoints.divisions = {2, 1, 1};
    check_restored(o, sheet_with_vacancy(2, 1, 0.03), "pole-expansion");
    o = with_poles();
    o.solver = "cuda";
    for (const std::string method : {"pole-expansion", "purification"}) {
        o.device = {"host", method};
        check_restored(o, ragged_flake(3, 0.03), "host-" + method);
    }
}

BOOST_AUTO_TEST_CASE(also_after_an_evaluation_that_was_stopped) {
    const Structure flake = ragged_flake(3, 0.03);
    SccDftb whole(with_poles()), stopped(with_poles());
    Evaluation direct, restored;
    for (SccDftb* calculator : {&whole, &stopped})
        calculator->evaluate(swung(flake, 0.1, 0), {.forces = true, .stress = false}, direct, Context{});
    std::stop_source stop;
    Context context;
    context.stop = stop.get_token();
    context.log_sink = [&](Context::Level, std::string_view text) {
        if (text.find("SCC cycle 2") != std::string_view::npos) stop.request_stop();
    };
    BOOST_CHECK_THROW(
        stopped.evaluate(swung(flake, 0.3, 1), {.forces = true, .stress = false}, restored, context),
        StoppedError);
    BOOST_TEST((stopped.save().values() == whole.save().values()));
    // What was saved without the state of the solver can be read.
    const State saved = whole.save();
    State old;
    for (const auto& [name, value] : saved.values())
        if (!name.starts_with("solver/")) old.put(name, value);
    stopped.restore(old);
    stopped.evaluate(swung(flake, 0.1, 1), {.forces = true, .stress = false}, restored, Context{});
    whole.evaluate(swung(flake, 0.1, 1), {.forces = true, .stress = false}, direct, Context{});
    BOOST_CHECK_SMALL(restored.energy - direct.energy, 1e-6);
}

BOOST_AUTO_TEST_CASE(auto_takes_diagonalisation_for_a_molecule_and_poles_for_a_large_flake) {
    BOOST_TEST(solve("auto", *matrices(benzene()), {.number = 30, .kT = 300 * units::kelvin}).name ==
               "dense");
    const Structure s = graphene_flake(22 * units::angstrom);
    SccDftbOptions o = builtin();
    o.solver = "auto";
    SccDftb calculator(o);
    Evaluation out;
    std::string log;
    Context context;
    context.log_sink = [&](Context::Level, std::string_view text) { log += std::string(text) + "\n"; };
    calculator.evaluate(s, {.forces = false, .stress = false}, out, context);
    BOOST_TEST(out.solver == "pole-expansion");
    BOOST_TEST(log.find("by pole expansion: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(blas_has_its_threads_back_when_the_last_of_overlapping_scopes_has_ended) {
    if (openblas_get_parallel() != OPENBLAS_THREAD) return;  // nothing to take and give back
    const int before = openblas_get_num_threads();
    openblas_set_num_threads(2);
    auto first = std::make_unique<SerialBlas>(), second = std::make_unique<SerialBlas>();
    BOOST_TEST(openblas_get_num_threads() == 1);
    first.reset();
    BOOST_TEST(openblas_get_num_threads() == 1);
    second.reset();
    BOOST_TEST(openblas_get_num_threads() == 2);
    openblas_set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(a_memory_limit_that_is_too_small_is_an_error_that_names_the_need) {
    const auto m = matrices(benzene());
    const auto solver = make_density_solver("pole-expansion", true, 1e5);
    solver->analyze(m->pattern, KPoints{});
    BOOST_CHECK_EXCEPTION(solver->set_overlap(m->overlap), InputError, [](const InputError& e) {
        return std::string(e.what()).find("MiB") != std::string::npos;
    });
    // A limit that leaves room for one worker gives the same result as one for many.
    const auto large = matrices(ragged_flake(8, 0.03));
    const Symbolic symbolic(large->pattern);
    const double enough = 26.0 * 16 * static_cast<double>(large->pattern.n_values()) +
                          1.5 * static_cast<double>(symbolic.bytes(16));
    const auto narrow = make_density_solver("pole-expansion", true, enough);
    narrow->analyze(large->pattern, KPoints{});
    narrow->set_overlap(large->overlap);
    Density density;
    narrow->solve(large->hamiltonian, neutral(*large, 300), density);
    BOOST_TEST(narrow->name() == "pole-expansion");
    BOOST_CHECK_SMALL(
        density.band_energy - solve("pole-expansion", *large, neutral(*large, 300)).density.band_energy,
        1e-10);
}

BOOST_AUTO_TEST_CASE(an_overlap_that_is_not_positive_definite_names_the_atoms) {
    Structure s = ragged_flake(6, 0.02);
    s.positions.col(20) = s.positions.col(8) + Eigen::Vector3d(0.02, 0, 0);
    const auto m = matrices(ragged_flake(6, 0.02));
    // The overlap of two atoms on top of each other is that of one atom with itself.
    for (const Block& b : m->pattern.blocks())
        if (b.i != b.j && m->basis.n_orbitals(b.i) == m->basis.n_orbitals(b.j) &&
            b.distance < 1.5 * units::angstrom) {
            m->overlap.block(b) = 1.01 * Eigen::MatrixXd::Identity(4, 4);
            break;
        }
    for (const char* name : {"dense", "pole-expansion"}) {
        const auto solver = make_density_solver(name);
        solver->analyze(m->pattern, KPoints{});
        BOOST_CHECK_EXCEPTION(solver->set_overlap(m->overlap), NumericalError, [](const NumericalError& e) {
            const std::string text = e.what();
            return text.find("not positive definite") != std::string::npos &&
                   text.find("C ") != std::string::npos && text.find("angstrom") != std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_singular_matrix_is_an_error_and_a_nearly_singular_one_shows_in_its_residual) {
    const auto m = matrices(benzene());
    const Symbolic symbolic(m->pattern);
    Multifrontal<Complex> factor(symbolic);
    BOOST_CHECK_THROW(factor.factorize(nullptr, nullptr, Complex(1, 1), {}), NumericalError);
    const Eigen::MatrixXd h = m->hamiltonian[0].folded(), s = m->overlap.folded();
    const Eigen::VectorXd e =
        Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd>(h, s, Eigen::EigenvaluesOnly).eigenvalues();
    const auto residual = [&](Complex z) {
        std::vector<Complex> g(m->pattern.n_values());
        factor.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(), z, {});
        factor.selected_inverse(g.data(), {});
        // Tr[(H - z S) G] is the number of orbitals.
        Complex sum = 0;
        for (const Block& b : m->pattern.blocks())
            for (std::size_t k = b.offset;
                 k < b.offset + static_cast<std::size_t>(m->overlap.block(b).size()); ++k)
                sum += (b.on_site() ? 1.0 : 2.0) *
                       (m->hamiltonian[0].values()[k] - z * m->overlap.values()[k]) * g[k];
        return std::abs(sum - static_cast<double>(h.rows()));
    };
    BOOST_TEST(residual(Complex(e(5), 1e-3)) < 1e-9);
    const double lost = residual(Complex(e(5), 1e-16));
    BOOST_TEST((!std::isfinite(lost) || lost > 1e-4));
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_a_factorisation_and_the_solver_can_be_used_again) {
    const auto m = matrices(ragged_flake(6, 0.03));
    const auto solver = make_density_solver("pole-expansion");
    solver->analyze(m->pattern, KPoints{});
    solver->set_overlap(m->overlap);
    std::stop_source source;
    Context context;
    context.stop = source.get_token();
    source.request_stop();
    solver->set_context(context);
    Density density;
    BOOST_CHECK_THROW(solver->solve(m->hamiltonian, neutral(*m, 300), density), StoppedError);
    // The same when it comes while the poles are factorised, which the log announces.
    std::stop_source later;
    context.stop = later.get_token();
    context.log_sink = [&](Context::Level, std::string_view text) {
        if (text.find("poles, largest error") != std::string_view::npos) later.request_stop();
    };
    solver->set_context(context);
    BOOST_CHECK_THROW(solver->solve(m->hamiltonian, neutral(*m, 300), density), StoppedError);
    BOOST_TEST(later.stop_requested());
    solver->set_context(Context{});
    solver->solve(m->hamiltonian, neutral(*m, 300), density);
    BOOST_CHECK_SMALL(density.band_energy - solve("dense", *m, neutral(*m, 300)).density.band_energy, 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// The pole expansion at k-points, against full diagonalisation; the accuracy that a tolerance gives.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>

#include "density/pole_expansion/bloch_multifrontal.hpp"
#include "sheets.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using namespace stembridge::testing;
using Complex = std::complex<double>;

namespace {

/// Energy, forces and charges of one density matrix.
Evaluation once(const Structure& s, const std::string& solver, double kelvin, double tolerance) {
    SccDftbOptions o = builtin();
    o.solver = solver;
    o.electronic_temperature = kelvin * units::kelvin;
    o.scc.tolerance = tolerance;
    SccDftb calculator(o);
    Evaluation out;
    calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
    return out;
}

/// Flake closed with hydrogen, with a silicon and a carbon atom on it.
Structure with_adatoms() {
    BuildReport report;
    Structure s = terminate_with_hydrogen(graphene_flake(7 * units::angstrom), {}, report).structure;
    const Eigen::Vector3d a = s.positions.col(4), b = s.positions.col(30);
    s.add(14, a + Eigen::Vector3d(0, 0, 2.0 * units::angstrom));
    s.add(6, b + Eigen::Vector3d(0.7 * units::angstrom, 0, 1.5 * units::angstrom));
    return s;
}

/// Periodic sheet with a vacancy and a raised silicon atom.
Structure defective_sheet() {
    const Structure whole = graphene_sheet(4, 3);
    Structure s;
    s.cell = whole.cell;
    for (int i = 1; i < whole.size(); ++i)
        s.add(i == 21 ? 14 : 6, whole.positions.col(i) + Eigen::Vector3d(0, 0, i == 21 ? 2 : 0));
    return s;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_pole_accuracy)

BOOST_AUTO_TEST_CASE(selected_inverse_at_a_k_point_is_the_inverse_where_the_pattern_has_blocks) {
    const auto m = matrices(gapped_sheet(2));
    const Symbolic symbolic(m->pattern);
    BlochMultifrontal factor(symbolic, m->pattern);
    const Eigen::Vector3d k(0.21, -0.13, 0);
    const Complex z(-0.2, 0.01);
    // H(k) and S(k), whole.
    const Eigen::Index n = m->basis.n_orbitals();
    Eigen::MatrixXcd h = Eigen::MatrixXcd::Zero(n, n), s = h;
    const auto phase = [&](const Block& b) {
        return std::polar(1.0, 2 * M_PI * (k(0) * b.image[0] + k(1) * b.image[1]));
    };
    for (const Block& b : m->pattern.blocks()) {
        const int i = m->basis.first_orbital(b.i), j = m->basis.first_orbital(b.j);
        for (auto [sum, part] : {std::pair(&h, &m->hamiltonian[0]), std::pair(&s, &m->overlap)}) {
            const Eigen::MatrixXcd block = phase(b) * part->block(b).cast<Complex>();
            sum->block(i, j, block.rows(), block.cols()) += block;
            if (!b.on_site()) sum->block(j, i, block.cols(), block.rows()) += block.adjoint();
        }
    }
    const Eigen::VectorXd e =
        Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXcd>(h, s, Eigen::EigenvaluesOnly)
            .eigenvalues();
    for (const double energy : {e(0) - 0.1, e(3) + 1e-6, e(n / 2) + 1e-6, e(n - 1) + 0.1})
        BOOST_TEST(factor.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(), energy, k,
                                    {}) == (e.array() < energy).count());
    factor.factorize(m->hamiltonian[0].values().data(), m->overlap.values().data(), z, k, {});
    std::vector<Complex> g(m->pattern.n_values());
    factor.add_selected_inverse(0.7, g.data(), {});
    const Eigen::MatrixXcd whole = (h - z * s).inverse();
    double worst = 0;
    for (const Block& b : m->pattern.blocks()) {
        const int i = m->basis.first_orbital(b.i), j = m->basis.first_orbital(b.j);
        const auto values = m->overlap.block(b);
        for (Eigen::Index c = 0; c < values.cols(); ++c)
            for (Eigen::Index r = 0; r < values.rows(); ++r) {
                const Complex expected =
                    0.35 * (std::conj(phase(b)) * whole(i + r, j + c) + phase(b) * whole(j + c, i + r));
                worst = std::max(
                    worst,
                    std::abs(expected - g[b.offset + static_cast<std::size_t>(c * values.rows() + r)]));
            }
    }
    BOOST_CHECK_SMALL(worst, 1e-11 * whole.cwiseAbs().maxCoeff());
}

BOOST_AUTO_TEST_CASE(k_points_agree_with_diagonalisation) {
    // A metal with a vacancy, and a gapped sheet; a grid and a list, without and with spin.
    Structure metal = graphene_sheet(3, 2), defective;
    defective.cell = metal.cell;
    for (int i = 1; i < metal.size(); ++i) defective.add(i == 9 ? 14 : 6, metal.positions.col(i));
    for (const Structure& structure : {defective, gapped_sheet(3)}) {
        const auto m = matrices(structure);
        for (const KPoints& k : {kpoint_grid({2, 3, 1}, false, structure.cell),
                                 kpoint_list({{0.1, 0.2, 0, 0.3}, {0, 0, 0, 0.7}}, structure.cell)})
            for (const int n_spins : {1, 2}) {
                Electrons electrons = neutral(*m, 600);
                electrons.n_spins = n_spins;
                std::vector<BlockMatrix> h = m->hamiltonian;
                if (n_spins == 2) {
                    h.push_back(h[0]);
                    for (std::size_t v = 0; v < h[1].values().size(); ++v)
                        h[1].values()[v] += 0.02 * m->overlap.values()[v];
                }
                std::array<Density, 2> density;
                std::array<BlockMatrix, 2> weighted;
                for (const std::size_t s : {0u, 1u}) {
                    const auto solver = make_density_solver(s == 0 ? "dense" : "pole-expansion", false);
                    solver->analyze(m->pattern, k);
                    solver->set_overlap(m->overlap);
                    solver->solve(h, electrons, density[s]);
                    solver->energy_weighted(weighted[s]);
                    BOOST_TEST(solver->name() == (s == 0 ? "dense" : "pole-expansion"));
                }
                for (int spin = 0; spin < n_spins; ++spin)
                    BOOST_CHECK_SMALL(difference(density[0].matrices[static_cast<std::size_t>(spin)],
                                                 density[1].matrices[static_cast<std::size_t>(spin)]),
                                      5e-7);
                BOOST_CHECK_SMALL(difference(weighted[0], weighted[1]), 1e-6);
                BOOST_CHECK_SMALL(density[0].band_energy - density[1].band_energy, 2e-8 * structure.size());
                BOOST_CHECK_SMALL(density[0].ts - density[1].ts, 2e-8 * structure.size());
            }
    }
}

BOOST_AUTO_TEST_CASE(energies_of_one_surface_however_little_is_wanted_of_the_forces) {
    // A relaxation compares energies that were asked for with forces of different accuracy.
    SccDftbOptions o = builtin();
    o.electronic_temperature = 1000 * units::kelvin;
    const Structure s = with_adatoms();
    o.solver = "dense";
    SccDftb dense(o);
    Evaluation exact;
    dense.evaluate(s, {.forces = false, .stress = false}, exact, Context{});
    o.solver = "pole-expansion";
    for (const double wanted : {0.0, 1e-5, 3e-5, 1e-4, 1e-3}) {
        SccDftb calculator(o);
        Evaluation out;
        // Twice: from atoms, and from charges that are nearly right, with fewer poles.
        for (int repeat = 0; repeat < 2; ++repeat) {
            calculator.evaluate(s, {.forces = true, .stress = false, .force_accuracy = wanted}, out,
                                Context{});
            BOOST_TEST(std::abs(out.energy - exact.energy) <= out.energy_bound + exact.energy_bound);
            BOOST_TEST(out.energy_bound < 1e-6 * s.size());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_tolerance_gives_its_accuracy_of_energy_forces_and_charges) {
    for (const Structure& s : {defective_sheet(), ragged_flake(8, 0.04, {30, 31, 60}), with_adatoms()})
        for (const double kelvin : {300.0, 1000.0}) {
            const Evaluation exact = once(s, "dense", kelvin, 1e-6);
            for (const double tolerance : {1e-6, 1e-8}) {
                BOOST_TEST_CONTEXT(s.size() << " atoms, " << kelvin << " K, tolerance " << tolerance) {
                    // A tenth as much once the tolerance asks for it.
                    const double bar = tolerance > 1e-7 ? 1 : 0.1;
                    const Evaluation poles = once(s, "pole-expansion", kelvin, tolerance);
                    BOOST_TEST(poles.solver == "pole-expansion");
                    BOOST_CHECK_SMALL((poles.energy - exact.energy) / s.size(), 1e-7 * bar);
                    BOOST_CHECK_SMALL((poles.forces - exact.forces).cwiseAbs().maxCoeff(), 1e-5 * bar);
                    BOOST_CHECK_SMALL((poles.charges - exact.charges).cwiseAbs().maxCoeff(),
                                      1e-6 * (bar < 1 ? 0.3 : 1));
                }
            }
        }
}

BOOST_AUTO_TEST_SUITE_END()

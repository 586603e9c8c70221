// SPDX-License-Identifier: Apache-2.0
// Density matrices of every solver against a plain diagonalisation.
#include <omp.h>

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "synthetic.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

/// A random sparse problem: atoms of one to nine orbitals on a bent chain, each with its near neighbours.
struct Problem {
    explicit Problem(int n_atoms, std::uint64_t seed)
        : structure(chain(n_atoms)),
          basis(structure,
                {{.atomic_number = 1, .symbol = "H", .n_shells = 1, .hubbard = {0.4}, .occupation = {1}},
                 {.atomic_number = 6,
                  .symbol = "C",
                  .n_shells = 2,
                  .hubbard = {0.4, 0.4},
                  .occupation = {2, 2}},
                 {.atomic_number = 14,
                  .symbol = "Si",
                  .n_shells = 3,
                  .hubbard = {0.3, 0.3, 0.3},
                  .occupation = {2, 2}}}),
          pattern(basis, structure, [](int, int) { return 7.0; }),
          hamiltonian(pattern),
          overlap(pattern) {
        Random random(seed);
        for (const Block& b : pattern.blocks()) {
            auto h = hamiltonian.block(b), s = overlap.block(b);
            for (Eigen::Index j = 0; j < h.cols(); ++j)
                for (Eigen::Index i = 0; i < h.rows(); ++i) {
                    h(i, j) = 0.2 * random.normal();
                    s(i, j) = 0.01 * random.normal();
                }
            if (!b.on_site()) continue;
            h = (h + h.transpose()).eval() / 2;
            s = Eigen::MatrixXd::Identity(s.rows(), s.cols());
        }
    }

    static Structure chain(int n) {
        Structure s;
        const int kinds[] = {6, 14, 1, 6};
        for (int i = 0; i < n; ++i)
            s.add(kinds[i % 4], Eigen::Vector3d(2.5 * i, std::sin(i), std::cos(2 * i)));
        return s;
    }

    Structure structure;
    Basis basis;
    BlockPattern pattern;
    BlockMatrix hamiltonian, overlap;
};

/// sum_a w_a c_a c_a^T by the simplest means.
struct Oracle {
    explicit Oracle(const Problem& p) : solver(p.hamiltonian.folded(), p.overlap.folded()) {}
    Eigen::MatrixXd sum(const Eigen::VectorXd& weights) const {
        return solver.eigenvectors() * weights.asDiagonal() * solver.eigenvectors().transpose();
    }
    Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd> solver;
};

double difference(const BlockMatrix& sparse, const Eigen::MatrixXd& dense) {
    const Basis& basis = sparse.pattern().basis();
    double worst = 0;
    for (const Block& b : sparse.pattern().blocks())
        worst =
            std::max(worst, (sparse.block(b) - dense.block(basis.first_orbital(b.i), basis.first_orbital(b.j),
                                                           basis.n_orbitals(b.i), basis.n_orbitals(b.j)))
                                .cwiseAbs()
                                .maxCoeff());
    return worst;
}

void agrees_with_a_plain_diagonalisation(const std::string& name) {
    // 60 atoms are several tiles of orbitals.
    for (const int n_atoms : {1, 7, 60}) {
        const Problem p(n_atoms, 3);
        const Oracle oracle(p);
        for (const bool real : {true, false})
            for (const double kT : {0.0, 0.01, 0.05}) {
                const Electrons electrons{.number = p.basis.neutral_shells().sum(), .kT = kT};
                const Occupations o =
                    occupy({oracle.solver.eigenvalues()}, Eigen::VectorXd::Ones(1), electrons);
                const auto solver = make_density_solver(name, real);
                solver->analyze(p.pattern, KPoints{});
                solver->set_overlap(p.overlap);
                Density density;
                solver->solve({p.hamiltonian}, electrons, density);
                BOOST_CHECK_SMALL(difference(density.matrices[0], oracle.sum(o.f[0].col(0))), 1e-11);
                BOOST_CHECK_SMALL(density.band_energy - o.band_energy, 1e-11);
                BOOST_CHECK_SMALL(density.ts - o.ts, 1e-11);
                BOOST_CHECK_SMALL(trace_of_product(density.matrices[0], p.hamiltonian) - o.band_energy,
                                  1e-11);
                BOOST_CHECK_SMALL(
                    mulliken_populations(density.matrices[0], p.overlap).sum() - electrons.number, 1e-11);
                BlockMatrix w;
                solver->energy_weighted(w);
                BOOST_CHECK_SMALL(
                    difference(w, oracle.sum(o.f[0].col(0).cwiseProduct(oracle.solver.eigenvalues()))),
                    1e-11);
            }
    }
}

bool elpa_is_there() {
    try {
        make_density_solver("elpa");
        return true;
    } catch (const UnsupportedError& e) {
        BOOST_TEST(std::string(e.what()).find("STEMBRIDGE_ELPA") != std::string::npos, e.what());
        return false;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_density_solver)

BOOST_AUTO_TEST_CASE(dense_solver_agrees_with_a_plain_diagonalisation) {
    agrees_with_a_plain_diagonalisation("dense");
}

BOOST_AUTO_TEST_CASE(elpa_agrees_with_a_plain_diagonalisation) {
    if (elpa_is_there()) agrees_with_a_plain_diagonalisation("elpa");
}

BOOST_AUTO_TEST_CASE(states_at_the_fermi_level_are_the_slope_of_the_density) {
    const Problem p(30, 5);
    const double kT = 0.01;
    const Electrons electrons{.number = p.basis.neutral_shells().sum(), .kT = kT};
    const auto solver = make_density_solver("auto");
    solver->analyze(p.pattern, KPoints{});
    solver->set_overlap(p.overlap);
    Density density;
    solver->solve({p.hamiltonian}, electrons, density);
    BlockMatrix slope;
    solver->states_at_fermi_level(kT, slope);
    // dP/dmu by a change of the number of electrons: dP = (dP/dmu) dN / (dN/dmu)
    const double dn = 1e-4, states = mulliken_populations(slope, p.overlap).sum();
    Density more, less;
    Electrons changed = electrons;
    changed.number += dn;
    solver->solve({p.hamiltonian}, changed, more);
    changed.number -= 2 * dn;
    solver->solve({p.hamiltonian}, changed, less);
    Eigen::VectorXd expected =
        mulliken_populations(more.matrices[0], p.overlap) - mulliken_populations(less.matrices[0], p.overlap);
    expected *= states / (2 * dn);
    BOOST_CHECK_SMALL((mulliken_populations(slope, p.overlap) - expected).cwiseAbs().maxCoeff(),
                      1e-4 * states);
}

BOOST_AUTO_TEST_CASE(two_spins_give_two_densities) {
    const Problem p(12, 9);
    BlockMatrix other = p.hamiltonian;
    for (double& x : other.values()) x *= 1.1;
    const double n = p.basis.neutral_shells().sum();
    const auto solver = make_density_solver("dense");
    solver->analyze(p.pattern, KPoints{});
    solver->set_overlap(p.overlap);
    Density density;
    solver->solve({p.hamiltonian, other}, {.number = n, .kT = 0.01, .n_spins = 2, .unpaired = 2.0}, density);
    BOOST_TEST(density.matrices.size() == 2);
    BOOST_CHECK_SMALL(mulliken_populations(density.matrices[0], p.overlap).sum() - (n / 2 + 1), 1e-11);
    BOOST_CHECK_SMALL(mulliken_populations(density.matrices[1], p.overlap).sum() - (n / 2 - 1), 1e-11);
    BOOST_CHECK_SMALL(trace_of_product(density.matrices[0], p.hamiltonian) +
                          trace_of_product(density.matrices[1], other) - density.band_energy,
                      1e-11);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing_in_small_matrices) {
    // They work side by side on spins and on eigenvectors, where those of large matrices share each step.
    const int before = omp_get_max_threads();
    for (const int n_spins : {1, 2}) {
        const Problem p(100, 4);
        BOOST_REQUIRE(p.basis.n_orbitals() > 300);
        BOOST_REQUIRE(p.basis.n_orbitals() < 1000);
        const auto solved = [&](int threads) {
            omp_set_num_threads(threads);
            const auto solver = make_density_solver("dense");
            solver->analyze(p.pattern, KPoints{});
            solver->set_overlap(p.overlap);
            Density density;
            solver->solve(std::vector<BlockMatrix>(static_cast<std::size_t>(n_spins), p.hamiltonian),
                          {.number = p.basis.neutral_shells().sum(), .kT = 0.01, .n_spins = n_spins},
                          density);
            return density;
        };
        const Density alone = solved(1);
        for (const int threads : {2, 3, 4, 2, 3, 4}) {
            const Density together = solved(threads);
            for (std::size_t spin = 0; spin < alone.matrices.size(); ++spin) {
                BOOST_TEST((alone.eigenvalues[spin] == together.eigenvalues[spin]));
                BOOST_TEST((alone.matrices[spin].values() == together.matrices[spin].values()));
            }
        }
    }
    omp_set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(an_overlap_that_is_not_positive_is_refused) {
    Problem p(4, 1);
    for (const Block& b : p.pattern.blocks())
        if (!b.on_site()) p.overlap.block(b).setConstant(2);
    for (const std::string& name :
         elpa_is_there() ? std::vector<std::string>{"dense", "elpa"} : std::vector<std::string>{"dense"}) {
        const auto solver = make_density_solver(name);
        solver->analyze(p.pattern, KPoints{});
        BOOST_CHECK_THROW(solver->set_overlap(p.overlap), NumericalError);
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_solver_is_refused) {
    BOOST_CHECK_THROW(make_density_solver("magic"), InputError);
}

BOOST_AUTO_TEST_SUITE_END()

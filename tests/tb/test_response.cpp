// SPDX-License-Identifier: Apache-2.0
// How charges and spins answer to potentials: the near-sighted response of the poles against perturbation
// theory over all states and differences of populations, and what it makes of the self-consistency of
// dangling bonds.
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "coulomb/coulomb_term.hpp"
#include "hamiltonian/add_potential.hpp"
#include "scc/response.hpp"
#include "sheets.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "terms/spin_term.hpp"

using namespace stembridge;
using namespace stembridge::tb;
using namespace stembridge::testing;

namespace {

/// dn_a/dv_b of the atoms at a fixed Fermi level by first-order perturbation theory, and D = dn/dmu.
struct Exact {
    Eigen::MatrixXd chi;
    Eigen::VectorXd states;
};

Exact perturbation_theory(const ElectronicState& m, double fermi_level, double kT) {
    const Eigen::MatrixXd s = m.overlap.folded();
    const Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd> solver(m.hamiltonian[0].folded(), s);
    const Eigen::VectorXd& e = solver.eigenvalues();
    const Eigen::MatrixXd& c = solver.eigenvectors();
    const Eigen::MatrixXd sc = s * c;
    const auto f = [&](double x) { return 2 / (1 + std::exp((x - fermi_level) / kT)); };
    const auto slope = [&](double x) { return f(x) * (1 - f(x) / 2) / kT; };
    const int n = m.basis.n_atoms();
    Exact result{Eigen::MatrixXd::Zero(n, n), Eigen::VectorXd::Zero(n)};
    for (Eigen::Index a = 0; a < e.size(); ++a)
        for (Eigen::Index b = 0; b < e.size(); ++b) {
            const double gap = e(b) - e(a);
            const double weight = std::abs(gap) > 1e-9 ? (f(e(b)) - f(e(a))) / gap : -slope(e(a));
            const Eigen::VectorXd orbitals =
                0.5 * (c.col(a).cwiseProduct(sc.col(b)) + sc.col(a).cwiseProduct(c.col(b)));
            const Eigen::VectorXd q = m.basis.atoms_from_shells(m.basis.shells_from_orbitals(orbitals));
            result.chi += weight * q * q.transpose();
            if (a == b) result.states += slope(e(a)) * q;
        }
    return result;
}

/// From a solve by poles.
std::vector<NearResponse> by_poles(const ElectronicState& m, const std::vector<BlockMatrix>& hamiltonian,
                                   const Electrons& electrons) {
    const auto solver = make_density_solver("pole-expansion");
    solver->analyze(m.pattern, KPoints{});
    solver->set_overlap(m.overlap);
    Density density;
    solver->solve(hamiltonian, electrons, density);
    const auto near = solver->near_response(electrons.kT);
    BOOST_REQUIRE(near.size() == hamiltonian.size());
    // Of both spins.
    BlockMatrix states;
    solver->states_at_fermi_level(electrons.kT, states);
    Eigen::VectorXd sum = m.basis.shells_from_orbitals(mulliken_populations(states, m.overlap));
    for (const NearResponse& r : near) sum -= r.states;
    BOOST_CHECK_SMALL(sum.cwiseAbs().maxCoeff(), 1e-9);
    return near;
}

NearResponse by_poles(const ElectronicState& m, double kelvin) {
    return by_poles(m, m.hamiltonian, neutral(m, kelvin)).front();
}

double fermi_level(const ElectronicState& m, double kelvin) {
    const auto solver = make_density_solver("dense");
    solver->analyze(m.pattern, KPoints{});
    solver->set_overlap(m.overlap);
    Density density;
    solver->solve(m.hamiltonian, neutral(m, kelvin), density);
    return density.fermi_levels[0];
}

Eigen::MatrixXd on_atoms(const Basis& basis, const Eigen::SparseMatrix<double>& shells) {
    Eigen::MatrixXd atoms = Eigen::MatrixXd::Zero(basis.n_atoms(), basis.n_atoms());
    for (int k = 0; k < shells.outerSize(); ++k)
        for (Eigen::SparseMatrix<double>::InnerIterator it(shells, k); it; ++it)
            atoms(basis.atom_of_shell(static_cast<int>(it.row())),
                  basis.atom_of_shell(static_cast<int>(it.col()))) += it.value();
    return atoms;
}

/// Smallest and largest eigenvalue of P (1 - chi gamma), 1 for a preconditioner P that knows chi.
std::pair<double, double> range(const Preconditioner& p, const Eigen::MatrixXd& dielectric) {
    Eigen::MatrixXd product(dielectric.rows(), dielectric.cols());
    for (Eigen::Index k = 0; k < dielectric.cols(); ++k) product.col(k) = p.apply(dielectric.col(k));
    const Eigen::VectorXd values = product.eigenvalues().real();
    return {values.minCoeff(), values.maxCoeff()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_response)

BOOST_AUTO_TEST_CASE(near_atoms_answer_as_perturbation_theory_says) {
    // All atoms of benzene are near each other; in the flake they are not.
    for (const Structure& s : {benzene(), ragged_flake(5, 0.05)}) {
        const auto m = matrices(s);
        constexpr double kelvin = 1000;
        const Exact exact = perturbation_theory(*m, fermi_level(*m, kelvin), kelvin * units::kelvin);
        const Eigen::MatrixXd near = on_atoms(m->basis, by_poles(*m, kelvin).shells);
        BOOST_CHECK_SMALL((near - near.transpose()).cwiseAbs().maxCoeff(), 1e-9);
        double worst = 0;
        for (int i = 0; i < s.size(); ++i)
            for (int j = 0; j < s.size(); ++j)
                if (near(i, j) != 0) worst = std::max(worst, std::abs(near(i, j) - exact.chi(i, j)));
        BOOST_TEST_MESSAGE("largest error " << worst << " of " << exact.chi.cwiseAbs().maxCoeff());
        // Overlaps beyond nearest neighbours, up to a tenth of those between them, are left out.
        BOOST_TEST(worst < 0.1 * exact.chi.cwiseAbs().maxCoeff());
    }
}

namespace {

/// Electrons of two spins in potentials on the sites and, behind them, on the spins of the shells.
class InPotentials {
  public:
    InPotentials(const ElectronicState& m, const KPoints& kpoints, const Electrons& electrons)
        : m_(m), sites_(m.basis, false), electrons_(electrons) {
        electrons_.n_spins = 2;
        dense_ = make_density_solver("dense", kpoints.only_gamma());
        dense_->analyze(m.pattern, kpoints);
        dense_->set_overlap(m.overlap);
    }
    const Sites& sites() const { return sites_; }
    const Electrons& electrons() const { return electrons_; }
    Eigen::Index n_sites() const { return sites_.size(); }
    Eigen::Index size() const { return n_sites() + m_.basis.n_shells(); }
    std::vector<BlockMatrix> hamiltonian(const Eigen::VectorXd& v) const {
        const Basis& basis = m_.basis;
        std::vector<BlockMatrix> h;
        for (const double sign : {1.0, -1.0}) {
            Eigen::VectorXd orbitals(basis.n_orbitals());
            for (int mu = 0; mu < basis.n_orbitals(); ++mu) {
                const int shell = basis.shell_of_orbital(mu);
                orbitals(mu) =
                    v(sites_.site_of_shell[static_cast<std::size_t>(shell)]) + sign * v(n_sites() + shell);
            }
            add_potential(h.emplace_back(m_.hamiltonian[0]), m_.overlap, orbitals);
        }
        return h;
    }
    /// The solver that has solved in this potential.
    DensitySolver& solved(const Eigen::VectorXd& v) {
        dense_->solve(hamiltonian(v), electrons_, density_);
        return *dense_;
    }
    Eigen::VectorXd populations(const Eigen::VectorXd& v) {
        solved(v);
        Eigen::VectorXd q = Eigen::VectorXd::Zero(size());
        for (std::size_t spin = 0; spin < 2; ++spin) {
            const Eigen::VectorXd shells =
                m_.basis.shells_from_orbitals(mulliken_populations(density_.matrices[spin], m_.overlap));
            q.head(n_sites()) += m_.basis.atoms_from_shells(shells);
            q.tail(m_.basis.n_shells()) += (spin == 0 ? 1 : -1) * shells;
        }
        return q;
    }
    /// How the populations answer, by central differences.
    Eigen::MatrixXd response(const Eigen::VectorXd& v) {
        Eigen::MatrixXd exact(size(), size());
        constexpr double h = 1e-4;
        for (Eigen::Index k = 0; k < size(); ++k) {
            const Eigen::VectorXd step = h * Eigen::VectorXd::Unit(size(), k);
            exact.col(k) = (populations(v + step) - populations(v - step)) / (2 * h);
        }
        return exact;
    }
    /// On the spins alone, so that they differ.
    Eigen::VectorXd some_potential() const {
        Random random(4);
        Eigen::VectorXd v = Eigen::VectorXd::Zero(size());
        for (Eigen::Index k = n_sites(); k < size(); ++k) v(k) = -0.02 + 0.01 * random.normal();
        return v;
    }

  private:
    const ElectronicState& m_;
    Sites sites_;
    Electrons electrons_;
    std::unique_ptr<DensitySolver> dense_;
    Density density_;
};

Eigen::MatrixXd whole(const Response& response) {
    Eigen::MatrixXd chi = response.local;
    if (response.dense.size() > 0) chi += response.dense;
    for (const Eigen::VectorXd& d : response.levels) chi += d * d.transpose();
    return chi;
}

/// Neutral, of two spins with one Fermi level or, with so many unpaired, two.
Electrons two_spins(const ElectronicState& m, std::optional<double> unpaired) {
    Electrons electrons = neutral(m, 2000);
    electrons.unpaired = unpaired;
    return electrons;
}

}  // namespace

BOOST_AUTO_TEST_CASE(charges_and_spins_answer_as_differences_of_dense_populations_say) {
    // All atoms are near each other; the spins have levels of their own.
    const auto m = matrices(ragged_flake(2.9, 0.05));
    for (const std::optional<double> unpaired : {std::optional<double>(), std::optional<double>(2)}) {
        InPotentials in(*m, KPoints{}, two_spins(*m, unpaired));
        const Eigen::VectorXd v = in.some_potential();
        const Eigen::MatrixXd chi = whole(
            near_sighted_response(in.sites(), by_poles(*m, in.hamiltonian(v), in.electrons()), !unpaired));
        const Eigen::MatrixXd exact = in.response(v);
        const Eigen::Index n_sites = in.n_sites(), n_spin = in.size() - n_sites;
        // Overlaps beyond nearest neighbours are left out. Each part is the sum or the difference of the
        // answers of the two spins, and so are the errors.
        constexpr double allowed = 0.05;
        const double scale = exact.topLeftCorner(n_sites, n_sites).norm();
        const auto check = [&](const char* what, auto&& mine, auto&& expected) {
            const double error = (mine - expected).norm() / scale;
            BOOST_TEST_MESSAGE(what << " " << expected.norm() / scale << ": off by " << error);
            BOOST_TEST(error < allowed);
            BOOST_TEST(expected.norm() > 0.2 * scale);
        };
        check("charges by potentials", chi.topLeftCorner(n_sites, n_sites),
              exact.topLeftCorner(n_sites, n_sites));
        check("charges by potentials of spins", chi.topRightCorner(n_sites, n_spin),
              exact.topRightCorner(n_sites, n_spin));
        check("spins by potentials", chi.bottomLeftCorner(n_spin, n_sites),
              exact.bottomLeftCorner(n_spin, n_sites));
        check("spins by potentials of spins", chi.bottomRightCorner(n_spin, n_spin),
              exact.bottomRightCorner(n_spin, n_spin));
        // No charge comes of it, nor anything of one potential everywhere.
        BOOST_CHECK_SMALL(chi.topRows(n_sites).colwise().sum().cwiseAbs().maxCoeff(), 1e-9);
        BOOST_CHECK_SMALL(chi.leftCols(n_sites).rowwise().sum().cwiseAbs().maxCoeff(), 1e-9);
        if (unpaired) BOOST_CHECK_SMALL(chi.bottomRows(n_spin).colwise().sum().cwiseAbs().maxCoeff(), 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(all_eigenstates_answer_as_differences_of_populations_say) {
    // The levels of the k-points cross the common Fermi level at different places.
    const auto m = matrices(sheet_with_vacancy(2, 1, 0.05));
    const KPoints grid = kpoint_grid({3, 2, 1}, false, m->structure.cell);
    BOOST_REQUIRE(grid.size() > 2);
    for (const KPoints& kpoints : {grid, kpoint_list({{0.1, 0.2, 0, 1}}, m->structure.cell)})
        for (const std::optional<double> unpaired : {std::optional<double>(), std::optional<double>(2)}) {
            InPotentials in(*m, kpoints, two_spins(*m, unpaired));
            const Eigen::VectorXd v = in.some_potential();
            constexpr double everything = 1000;
            const auto states = in.solved(v).states_near_fermi_level(everything);
            BOOST_TEST(states[0].energies.rows() == m->basis.n_orbitals());
            const Eigen::MatrixXd chi =
                whole(window_response(in.sites(), states, m->overlap, kpoints, in.electrons().kT, !unpaired));
            const Eigen::MatrixXd exact = in.response(v);
            const double error = (chi - exact).cwiseAbs().maxCoeff() / exact.cwiseAbs().maxCoeff();
            BOOST_TEST_MESSAGE(kpoints.size()
                               << " k-points: off by " << error << " of " << exact.cwiseAbs().maxCoeff());
            // Central differences err by some (1e-4 hartree / kT)^2 = 2e-4 of the third derivative.
            BOOST_TEST(error < 1e-5);
        }
}

BOOST_AUTO_TEST_CASE(states_near_the_fermi_level_are_the_same_ones_at_all_kpoints) {
    const auto m = matrices(sheet_with_vacancy(2, 1, 0.05));
    const KPoints kpoints = kpoint_grid({3, 2, 1}, false, m->structure.cell);
    InPotentials in(*m, kpoints, two_spins(*m, {}));
    constexpr double half_width = 0.1;
    const auto states = in.solved(Eigen::VectorXd::Zero(in.size())).states_near_fermi_level(half_width);
    for (const NearStates& near : states) {
        BOOST_TEST(near.energies.cols() == kpoints.size());
        BOOST_TEST(near.energies.rows() > 0);
        BOOST_TEST(near.energies.rows() < m->basis.n_orbitals() / 2);
        BOOST_TEST(near.bloch.size() == static_cast<std::size_t>(kpoints.size()));
        BOOST_TEST(near.bloch[0].cols() == near.energies.rows());
    }
}

BOOST_AUTO_TEST_CASE(a_metallic_flake_with_dangling_bonds_is_within_what_charges_can_follow) {
    const Structure s = ragged_flake(9, 0.03, {20, 21});
    const auto m = matrices(s);
    constexpr double kelvin = 300;
    const Exact exact = perturbation_theory(*m, fermi_level(*m, kelvin), kelvin * units::kelvin);
    const NearResponse poles = by_poles(*m, kelvin);
    const Sites sites(m->basis, false);
    CoulombTerm coulomb(std::nullopt);
    coulomb.update(m->structure, m->basis, sites);
    const Eigen::MatrixXd& gamma = coulomb.matrix();
    const Eigen::MatrixXd dielectric =
        Eigen::MatrixXd::Identity(s.size(), s.size()) -
        (exact.chi + exact.states * exact.states.transpose() / exact.states.sum()) * gamma;
    const Eigen::VectorXd own = dielectric.eigenvalues().real();
    BOOST_TEST_MESSAGE("dielectric matrix to " << own.maxCoeff());
    BOOST_TEST(own.maxCoeff() > 20);
    const Eigen::SparseMatrix<double> none(s.size(), s.size()), no_spin;
    const auto [least, most] = range(
        make_preconditioner(near_sighted_response(sites, {poles}, true), none, gamma, no_spin), dielectric);
    BOOST_TEST_MESSAGE("near-sighted " << least << " to " << most);
    // The charges of the dynamics are stable for eigenvalues between 0 and 2 and follow well from 0.3 on.
    BOOST_TEST(least > 0.3);
    BOOST_TEST(most < 1.9);
    // It takes the pairs to get there.
    const auto [lower, upper] = range(
        make_preconditioner(local_response(sites, poles.states, 1, true), none, gamma, no_spin), dielectric);
    BOOST_TEST_MESSAGE("without pairs " << lower << " to " << upper);
    BOOST_TEST(upper / lower > 2 * most / least);
}

BOOST_AUTO_TEST_CASE(steps_of_spins_have_bounds_and_lead_away_from_saddles) {
    // Four charges and six spins without coupling, of which 1 - chi K has the eigenvalues below: two of them
    // with spins that must form a moment.
    constexpr int n_sites = 4, n_spins = 6;
    const Eigen::VectorXd lambda = (Eigen::VectorXd(n_spins) << -0.5, -0.1, 0.1, 0.5, 0.8, 0.9).finished();
    constexpr double w = -0.02;
    Eigen::SparseMatrix<double> spin(n_spins, n_spins);
    spin.setIdentity();
    spin *= w;
    std::srand(5);
    const Eigen::MatrixXd turn = Eigen::MatrixXd::Random(n_spins, n_spins).householderQr().householderQ();
    Eigen::MatrixXd all = Eigen::MatrixXd::Zero(n_sites + n_spins, n_sites + n_spins);
    all.topLeftCorner(n_sites, n_sites).diagonal().setConstant(-2);
    all.bottomRightCorner(n_spins, n_spins) =
        turn * ((1 - lambda.array()) / w).matrix().asDiagonal() * turn.transpose();
    Response chi;
    chi.local = all.sparseView();
    const Eigen::MatrixXd gamma = 0.3 * Eigen::MatrixXd::Identity(n_sites, n_sites);
    Eigen::MatrixXd k = Eigen::MatrixXd::Zero(all.rows(), all.cols());
    k.topLeftCorner(n_sites, n_sites) = gamma;
    k.bottomRightCorner(n_spins, n_spins) = Eigen::MatrixXd(spin);
    const Eigen::MatrixXd dielectric = Eigen::MatrixXd::Identity(all.rows(), all.cols()) - all * k;
    const Eigen::SparseMatrix<double> no_bonds(n_sites, n_sites);
    const Preconditioner p = make_preconditioner(chi, no_bonds, gamma, spin);
    Eigen::MatrixXd product(all.rows(), all.cols());
    for (Eigen::Index j = 0; j < all.cols(); ++j) product.col(j) = p.apply(dielectric.col(j));
    Eigen::VectorXd values = product.eigenvalues().real();
    std::sort(values.begin(), values.end());
    // A step of at most three times the residual, in its direction; Newton's for all others.
    const Eigen::VectorXd expected =
        (Eigen::VectorXd(all.rows()) << -1, -0.3, 0.3, 1, 1, 1, 1, 1, 1, 1).finished();
    BOOST_TEST((values - expected).cwiseAbs().maxCoeff() < 1e-6);
    BOOST_TEST(p.first_spin == n_sites);
    BOOST_TEST(p.n_spins == n_spins);
}

BOOST_AUTO_TEST_CASE(spins_of_flakes_with_bare_edges_end_in_a_minimum_of_the_energy) {
    for (const Structure& s : {ragged_flake(4, 0.03, {11}), ragged_flake(6, 0.08, {3})}) {
        SccDftbOptions o = builtin_options();
        o.solver = "pole-expansion";
        o.spin.polarized = true;
        SccDftb calculator(o);
        Evaluation e;
        calculator.evaluate(s, {}, e, {});
        BOOST_TEST(e.fallback == "");
        const auto m = calculator.electronic_state();
        Density density;
        const auto solver = make_density_solver("dense");
        solver->analyze(m->pattern, m->kpoints);
        solver->set_overlap(m->overlap);
        solver->solve(m->hamiltonian, m->electrons, density);
        const Sites sites(m->basis, false);
        constexpr double all_that_answer = 0.25;
        const Response chi = window_response(sites, solver->states_near_fermi_level(all_that_answer),
                                             m->overlap, m->kpoints, m->electrons.kT, true);
        CoulombTerm coulomb(std::nullopt);
        coulomb.update(m->structure, m->basis, sites);
        // The constants that are shipped.
        SpinTerm spin({{6, (Eigen::Matrix2d() << -0.030622, -0.025049, -0.025049, -0.022650).finished()},
                       {14, (Eigen::Matrix2d() << -0.019583, -0.015022, -0.015022, -0.014356).finished()}});
        spin.update(m->structure, m->basis, sites);
        const Eigen::Index n_sites = sites.size(), n_spins = m->basis.n_shells();
        Eigen::MatrixXd k = Eigen::MatrixXd::Zero(n_sites + n_spins, n_sites + n_spins);
        k.topLeftCorner(n_sites, n_sites) = coulomb.matrix();
        k.bottomRightCorner(n_spins, n_spins) = Eigen::MatrixXd(spin.matrix());
        // Positive where every small change of charges and spins costs energy.
        const Eigen::VectorXd costs =
            (Eigen::MatrixXd::Identity(k.rows(), k.cols()) - whole(chi) * k).eigenvalues().real();
        BOOST_TEST_MESSAGE(s.formula() << ": from " << costs.minCoeff());
        BOOST_TEST(costs.minCoeff() > 0);
    }
}

namespace {

/// Steps of a metallic flake with dangling bonds in which every atom swings with the period of a stretched
/// bond, 20 fs, as fast as at 300 K: sqrt(kT / m) is 0.0046 angstrom/fs for carbon.
struct Swing {
    int steps = 0, matrices = 0,
        converged = 0;  ///< after the start; density matrices; steps with more than two
    double worst = 0;   ///< residual, e
};

Swing swing(const Structure& first, const std::string& solver, bool spin,
            const std::array<int, 3>& kpoints = {1, 1, 1}) {
    SccDftbOptions o = builtin_options();
    o.solver = solver;
    o.device = {"host", "pole-expansion"};  // where the solver is cuda
    o.spin.polarized = spin;
    o.kpoints.divisions = kpoints;
    o.electronic_temperature = 300 * units::kelvin;
    o.scc.cycles_per_step = 1;
    o.scc.tolerance = 1e-5;
    SccDftb calculator(o);
    constexpr double period = 20, width = 0.02;
    Random random(3);
    Eigen::Matrix3Xd amplitude(3, first.size()), phase(3, first.size());
    for (int i = 0; i < first.size(); ++i)
        for (int k = 0; k < 3; ++k) {
            amplitude(k, i) = width * units::angstrom * random.normal();
            phase(k, i) = 2 * M_PI * random.uniform();
        }
    Swing result;
    constexpr int start = 6, steps = 40;
    for (int step = 0; step < steps; ++step) {
        Structure s = first;
        for (int i = 0; i < s.size(); ++i)
            for (int k = 0; k < 3; ++k)
                s.positions(k, i) += amplitude(k, i) * std::sin(2 * M_PI * step / period + phase(k, i));
        Evaluation out;
        calculator.evaluate(s, {.forces = true}, out, Context{});
        if (step < start) continue;
        ++result.steps;
        result.matrices += out.iterations;
        result.converged += out.iterations > 2;
        result.worst = std::max(result.worst, out.residual);
    }
    BOOST_TEST_MESSAGE(solver << (spin ? " with spin" : "") << ": residual up to " << result.worst << " e, "
                              << result.matrices << " density matrices in " << result.steps << " steps, "
                              << result.converged << " of them converged");
    return result;
}

const Structure flake = ragged_flake(6.5, 0.03, {20});

}  // namespace

BOOST_AUTO_TEST_CASE(charges_of_dangling_bonds_follow_with_one_density_matrix_a_step) {
    for (const char* solver : {"pole-expansion", "dense", "cuda"}) {
        const Swing seen = swing(flake, solver, false);
        BOOST_TEST(seen.converged == 0);
        // One step in five may need a second density matrix.
        BOOST_TEST(seen.matrices <= 1.2 * seen.steps);
    }
}

BOOST_AUTO_TEST_CASE(with_spin_three_steps_of_four_follow) {
    // Spins form and vanish with the bonds, and answer over longer distances than charges do.
    const Swing seen = swing(flake, "pole-expansion", true);
    BOOST_TEST(seen.converged <= seen.steps / 4);
}

BOOST_AUTO_TEST_CASE(with_kpoints_the_charges_and_spins_of_a_vacancy_follow) {
    for (const bool spin : {false, true}) {
        const Swing seen = swing(sheet_with_vacancy(4, 2, 0.03), "dense", spin, {2, 2, 1});
        BOOST_TEST(seen.converged == 0);
        // With spin every other step may need a second density matrix.
        BOOST_TEST(seen.matrices <= (spin ? 1.5 : 1.2) * seen.steps);
    }
}

BOOST_AUTO_TEST_SUITE_END()

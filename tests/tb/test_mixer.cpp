// SPDX-License-Identifier: Apache-2.0
// Mixers on problems with a known answer.
#include <boost/test/unit_test.hpp>

#include "scc/mixer.hpp"

using namespace stembridge::tb;

namespace {

constexpr int n = 30;

/// r(x) = b - E x with a dielectric matrix E whose eigenvalues run from 1 to 40, as dangling bonds give.
struct Linear {
    Eigen::MatrixXd e;
    Eigen::VectorXd solution;

    Linear() {
        std::srand(11);
        const Eigen::MatrixXd q = Eigen::MatrixXd::Random(n, n).householderQr().householderQ();
        Eigen::VectorXd values = Eigen::VectorXd::LinSpaced(n, 1, 2);
        values.tail(3) << 15, 25, 40;
        e = q * values.asDiagonal() * q.transpose();
        solution = Eigen::VectorXd::Random(n);
    }
    Eigen::VectorXd residual(const Eigen::VectorXd& x) const { return e * (solution - x); }
    int cycles(ChargeMixer& mixer, const Preconditioner& p, int most) const {
        Eigen::VectorXd x = Eigen::VectorXd::Zero(n);
        for (int k = 0; k < most; ++k) {
            const Eigen::VectorXd r = residual(x);
            if (r.cwiseAbs().maxCoeff() < 1e-9) return k;
            x = mixer.next(x, r, p);
        }
        return most;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_mixer)

BOOST_AUTO_TEST_CASE(every_mixer_solves_a_stiff_linear_problem) {
    const Linear problem;
    BOOST_TEST(problem.cycles(*make_mixer(Mixer::anderson, 0.0), {}, 100) < 40);
    BOOST_TEST(problem.cycles(*make_mixer(Mixer::broyden, 0.0), {}, 100) < 40);
    BOOST_TEST(problem.cycles(*make_mixer(Mixer::diis, 0.0), {}, 100) < 40);
    // Simple mixing converges only with a step below 2 / 40.
    BOOST_TEST(problem.cycles(*make_mixer(Mixer::simple, 0.04), {}, 2000) < 1000);
    BOOST_TEST(problem.cycles(*make_mixer(Mixer::simple, 0.2), {}, 50) == 50);
}

BOOST_AUTO_TEST_CASE(a_good_preconditioner_saves_cycles) {
    const Linear problem;
    // The dielectric matrix, about 20 % off.
    std::srand(3);
    const Eigen::MatrixXd model = problem.e + 0.04 * Eigen::MatrixXd::Random(n, n);
    const Eigen::PartialPivLU<Eigen::MatrixXd> lu(model);
    const Preconditioner p = {[&](const Eigen::VectorXd& r) -> Eigen::VectorXd { return lu.solve(r); }};
    const auto mixer = make_mixer(Mixer::preconditioned, 0.0);
    BOOST_TEST(mixer->wants_preconditioner());
    BOOST_TEST(problem.cycles(*mixer, p, 100) < problem.cycles(*make_mixer(Mixer::anderson, 0.0), {}, 100));
    // With the exact matrix a step of 1 is Newton's.
    const Eigen::PartialPivLU<Eigen::MatrixXd> exact(problem.e);
    const Preconditioner newton = {
        [&](const Eigen::VectorXd& r) -> Eigen::VectorXd { return exact.solve(r); }};
    BOOST_TEST(problem.cycles(*make_mixer(Mixer::preconditioned, 1.0), newton, 100) <= 2);
}

BOOST_AUTO_TEST_CASE(a_minimum_is_found_from_beside_a_saddle) {
    // Residual of a double well along x(1), which has its saddle at 0 and minima at +-1, beside a harmonic
    // x(0). A root-finder that starts near the saddle ends there.
    const auto residual = [](const Eigen::VectorXd& x) -> Eigen::VectorXd {
        return Eigen::Vector2d(0.5 - x(0), x(1) - std::pow(x(1), 3));
    };
    const auto end = [&](Eigen::Index n_spins) -> Eigen::VectorXd {
        const Preconditioner p = {[](const Eigen::VectorXd& r) -> Eigen::VectorXd { return r; }, 1, n_spins};
        const auto mixer = make_mixer(Mixer::preconditioned, 0.0);
        Eigen::VectorXd x = Eigen::Vector2d(0, 0.1);
        for (int k = 0; k < 60 && residual(x).norm() > 1e-9; ++k) x = mixer->next(x, residual(x), p);
        BOOST_TEST(residual(x).norm() < 1e-9);
        return x;
    };
    BOOST_TEST((end(1) - Eigen::Vector2d(0.5, 1)).norm() < 1e-6);
    BOOST_TEST((end(0) - Eigen::Vector2d(0.5, 0)).norm() < 1e-6);  // without a word about spins
}

BOOST_AUTO_TEST_CASE(a_residual_of_zero_moves_nothing) {
    for (const Mixer kind :
         {Mixer::preconditioned, Mixer::anderson, Mixer::broyden, Mixer::diis, Mixer::simple}) {
        const auto mixer = make_mixer(kind, 0.0);
        const Eigen::VectorXd x = Eigen::VectorXd::Ones(3), zero = Eigen::VectorXd::Zero(3);
        for (int k = 0; k < 3; ++k) BOOST_TEST((mixer->next(x, zero, {}) - x).isZero());
    }
}

BOOST_AUTO_TEST_SUITE_END()

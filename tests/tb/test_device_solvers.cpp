// SPDX-License-Identifier: Apache-2.0
// The solvers of the device layer, on the processor in place of a device, against full diagonalisation.
#include <Eigen/Eigenvalues>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "density/cuda/device_poles.hpp"
#include "density/cuda/device_solver.hpp"
#include "density/cuda/exact_solver.hpp"
#include "density/cuda/fermi_recursion.hpp"
#include "density/cuda/host_device.hpp"
#include "density/cuda/purification_solver.hpp"
#include "density/pole_expansion/pole_expansion.hpp"
#include "forwarding_device.hpp"
#include "sheets.hpp"
#include "stembridge/base/errors.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::tb;

namespace {

struct Solved {
    Density density;
    BlockMatrix weighted, states;
    std::string name;
    std::vector<std::string> log;
};

constexpr double warm = 3000 * units::kelvin;

Solved solve(DensitySolver& solver, const ElectronicState& m, const Electrons& electrons,
             double accuracy = 0) {
    Solved result;
    Context context;
    context.log_sink = [&](Context::Level, std::string_view text) { result.log.emplace_back(text); };
    solver.set_context(context);
    solver.set_accuracy(accuracy);
    solver.analyze(m.pattern, KPoints{});
    solver.set_overlap(m.overlap);
    std::vector<BlockMatrix> h = m.hamiltonian;
    if (electrons.n_spins == 2) {
        h.push_back(h[0]);
        for (std::size_t k = 0; k < h[1].values().size(); ++k)
            h[1].values()[k] += 0.02 * m.overlap.values()[k];
    }
    solver.solve(h, electrons, result.density);
    solver.energy_weighted(result.weighted);
    solver.states_at_fermi_level(std::max(warm, electrons.kT), result.states);
    result.name = solver.name();
    return result;
}

Solved by_diagonalisation(const ElectronicState& m, const Electrons& electrons) {
    return solve(*make_density_solver("dense"), m, electrons);
}

double difference(const BlockMatrix& a, const BlockMatrix& b) {
    double worst = 0;
    for (std::size_t k = 0; k < a.values().size(); ++k)
        worst = std::max(worst, std::abs(a.values()[k] - b.values()[k]));
    return worst;
}

Electrons neutral(const ElectronicState& m, double kelvin) {
    return {.number = m.basis.neutral_shells().sum(), .kT = kelvin * units::kelvin};
}

/// @param energy hartree per atom  @param matrix elements of P
void compare(const Solved& mine, const Solved& exact, const ElectronicState& m, const Electrons& electrons,
             double energy, double matrix) {
    const double n_atoms = m.basis.n_atoms();
    BOOST_TEST_MESSAGE(mine.name << " " << n_atoms << " atoms " << electrons.kT / units::kelvin << " K: E "
                                 << (mine.density.band_energy - exact.density.band_energy) / n_atoms << " TS "
                                 << (mine.density.ts - exact.density.ts) / n_atoms << " P "
                                 << difference(mine.density.matrices[0], exact.density.matrices[0]) << " W "
                                 << difference(mine.weighted, exact.weighted));
    // The free energy is stationary; the band energy and TS alone are not, where Fermi levels differ.
    BOOST_CHECK_SMALL(
        (mine.density.band_energy - mine.density.ts - exact.density.band_energy + exact.density.ts) / n_atoms,
        energy);
    BOOST_CHECK_SMALL((mine.density.band_energy - exact.density.band_energy) / n_atoms, energy);
    BOOST_CHECK_SMALL((mine.density.ts - exact.density.ts) / n_atoms, energy);
    double number = 0;
    for (std::size_t s = 0; s < exact.density.matrices.size(); ++s) {
        BOOST_CHECK_SMALL(difference(mine.density.matrices[s], exact.density.matrices[s]), matrix);
        number += trace_of_product(mine.density.matrices[s], m.overlap);
        // In a gap the number of electrons hardly changes with the Fermi level.
        if (exact.density.gap < 10 * electrons.kT)
            BOOST_CHECK_SMALL(mine.density.fermi_levels[s] - exact.density.fermi_levels[s],
                              1e-4 * std::max(electrons.kT, 1e-5));
    }
    BOOST_CHECK_SMALL(number - electrons.number, 1e-7 * electrons.number);
    BOOST_CHECK_SMALL(difference(mine.weighted, exact.weighted), 5 * matrix);
    // For a preconditioner: in a wide gap, where there are no states, a little of the 0.8 per hartree of the
    // bonds may be left.
    const Eigen::VectorXd response = mulliken_populations(mine.states, m.overlap),
                          expected = mulliken_populations(exact.states, m.overlap);
    BOOST_CHECK_SMALL((response - expected).cwiseAbs().maxCoeff(),
                      2e-3 * expected.cwiseAbs().maxCoeff() + 2e-2);
}

std::unique_ptr<DensitySolver> on(Device& device, const std::string& method) {
    if (method == "exact") return std::make_unique<ExactSolver>(device);
    if (method == "purification") return std::make_unique<PurificationSolver>(device);
    return std::make_unique<PoleExpansionSolver>(true, false, 0, std::make_unique<DevicePoles>(device));
}

const ElectronicState& metal() {
    static const auto m = testing::matrices(testing::ragged_flake(9, 0.03));
    return *m;
}

const ElectronicState& insulator() {
    static const auto m = testing::matrices(testing::gapped_sheet(7));
    return *m;
}

/// Counts what crosses the bus, and lets the transfers fail when it is told to.
class WatchedDevice final : public testing::ForwardingDevice {
  public:
    explicit WatchedDevice(bool& broken) : broken_(broken) {}
    void to_device(void* to, const void* from, std::size_t bytes) override {
        transfer(bytes);
        ForwardingDevice::to_device(to, from, bytes);
    }
    void to_host(void* to, const void* from, std::size_t bytes) override {
        transfer(bytes);
        ForwardingDevice::to_host(to, from, bytes);
    }
    std::size_t transferred = 0;  ///< bytes

  private:
    void transfer(std::size_t bytes) {
        if (broken_) throw BackendError("cudaMemcpyAsync failed: an illegal memory access was encountered");
        transferred += bytes;
    }
    bool& broken_;
};

Eigen::MatrixXd random_symmetric(int n, double width) {
    std::srand(3);
    const Eigen::MatrixXd a = Eigen::MatrixXd::Random(n, n);
    return width / std::sqrt(n) * (a + a.transpose());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_device_solvers)

BOOST_AUTO_TEST_CASE(doubling_gives_fermi_operator_entropy_and_number_of_electrons) {
    const int n = 60;
    const Eigen::MatrixXd a = random_symmetric(n, 1);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> exact(a);
    const auto device = make_host_device();
    const DeviceArray<double> d_a(*device, std::vector<double>(a.data(), a.data() + a.size()));
    const SpectralRange range = spectral_range(*device, n, d_a);
    BOOST_TEST(range.lowest <= exact.eigenvalues()(0));
    BOOST_TEST(range.highest >= exact.eigenvalues()(n - 1));
    BOOST_TEST(range.highest - range.lowest < 1.3 * (exact.eigenvalues()(n - 1) - exact.eigenvalues()(0)));
    FermiRecursion<double>::Scratch scratch;
    scratch.resize(*device, static_cast<std::size_t>(n * n));
    FermiRecursion<double> fermi(*device, n, scratch);
    double mu = 0.1, kT = 2.2;
    fermi.begin(d_a, mu, kT);
    const auto check = [&] {
        const Eigen::ArrayXd x = (exact.eigenvalues().array() - mu) / kT;
        const Eigen::ArrayXd f = x.unaryExpr([](double e) { return 1 / (1 + std::exp(e)); });
        const Eigen::ArrayXd s = x.unaryExpr([](double e) {
            return std::log1p(std::exp(-std::abs(e))) + std::abs(e) / (1 + std::exp(std::abs(e)));
        });
        BOOST_CHECK_SMALL(fermi.electrons() - f.sum(), 1e-9);
        BOOST_CHECK_SMALL(fermi.slope() - (f * (1 - f)).sum(), 1e-9);
        BOOST_CHECK_SMALL(fermi.entropy(d_a) - s.sum(), 1e-8);
        BOOST_CHECK_SMALL(fermi.energy(d_a) - (f * exact.eigenvalues().array()).sum(), 1e-9);
        BOOST_CHECK_CLOSE(fermi.mu(), mu, 1e-10);
        BOOST_CHECK_CLOSE(fermi.kT(), kT, 1e-10);
        const std::vector<double> t = fermi.tanh().download();
        const Eigen::MatrixXd expected =
            exact.eigenvectors() * (1 - 2 * f).matrix().asDiagonal() * exact.eigenvectors().transpose();
        BOOST_CHECK_SMALL(
            (Eigen::Map<const Eigen::MatrixXd>(t.data(), n, n) - expected).cwiseAbs().maxCoeff(), 1e-9);
    };
    check();
    for (int k = 0; k < 12; ++k) {
        fermi.halve_temperature();
        kT /= 2;
        check();
        // The Fermi level moves on the way.
        const double d = k % 3 == 0 ? 0.7 : -1.1;
        fermi.shift(d);
        mu += d * kT;
        check();
    }
}

BOOST_AUTO_TEST_CASE(exact_path_agrees_to_1e_9_hartree_per_atom) {
    for (const ElectronicState* m : {&metal(), &insulator()}) {
        BOOST_TEST(m->basis.n_atoms() >= 96);
        for (const double kelvin : {0.0, 300.0, 5000.0}) {
            const auto device = make_host_device();
            ExactSolver solver(*device);
            const Electrons electrons = neutral(*m, kelvin);
            compare(solve(solver, *m, electrons), by_diagonalisation(*m, electrons), *m, electrons, 1e-9,
                    1e-9);
        }
    }
}

BOOST_AUTO_TEST_CASE(fast_paths_agree_to_1e_7_hartree_per_atom) {
    struct Case {
        const ElectronicState& m;
        double kelvin;
    };
    for (const Case& c :
         {Case{metal(), 50}, {metal(), 300}, {metal(), 5000}, {insulator(), 300}, {insulator(), 5000}}) {
        const Electrons electrons = neutral(c.m, c.kelvin);
        const Solved exact = by_diagonalisation(c.m, electrons);
        for (const std::string method : {"purification", "pole-expansion"}) {
            const auto device = make_host_device();
            const Solved mine = solve(*on(*device, method), c.m, electrons);
            BOOST_TEST(mine.name == method);
            compare(mine, exact, c.m, electrons, 1e-7, 1e-6);
        }
    }
}

BOOST_AUTO_TEST_CASE(spins_share_a_fermi_level_or_have_fixed_numbers) {
    const ElectronicState& m = metal();
    for (const std::optional<double> unpaired : {std::optional<double>(), std::optional<double>(3)}) {
        Electrons electrons = neutral(m, 500);
        electrons.n_spins = 2;
        electrons.unpaired = unpaired;
        const Solved exact = by_diagonalisation(m, electrons);
        for (const std::string method : {"exact", "purification", "pole-expansion"}) {
            const auto device = make_host_device();
            const Solved mine = solve(*on(*device, method), m, electrons);
            for (std::size_t s = 0; s < 2; ++s) {
                BOOST_CHECK_SMALL(difference(mine.density.matrices[s], exact.density.matrices[s]), 1e-6);
                BOOST_CHECK_SMALL(mine.density.fermi_levels[s] - exact.density.fermi_levels[s], 1e-6);
            }
            BOOST_CHECK_SMALL(difference(mine.weighted, exact.weighted), 5e-6);
            BOOST_CHECK_SMALL((mine.density.ts - exact.density.ts) / m.basis.n_atoms(), 1e-7);
        }
    }
}

BOOST_AUTO_TEST_CASE(purification_follows_the_fermi_level_however_far_it_moves) {
    const ElectronicState& m = metal();
    const auto device = make_host_device();
    PurificationSolver solver(*device);
    Electrons electrons = neutral(m, 300);
    solve(solver, m, electrons);
    const int from_nowhere = solver.steps();
    solve(solver, m, electrons);
    const int again = solver.steps();
    BOOST_TEST(again < from_nowhere);
    for (const double change : {0.3, -5.0, 30.0}) {
        electrons.number += change;
        const Solved exact = by_diagonalisation(m, electrons);
        Density density;
        solver.solve(m.hamiltonian, electrons, density);
        BOOST_CHECK_SMALL(difference(density.matrices[0], exact.density.matrices[0]), 1e-7);
        BOOST_CHECK_SMALL(density.fermi_levels[0] - exact.density.fermi_levels[0], 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(single_precision_is_used_only_where_it_is_good_enough) {
    const ElectronicState& m = metal();
    const Electrons electrons = neutral(m, 300);
    const Solved exact = by_diagonalisation(m, electrons);
    for (const std::string method : {"purification", "pole-expansion"}) {
        const auto error = [&](double accuracy) {
            const auto device = make_host_device();
            const Solved mine = solve(*on(*device, method), m, electrons, accuracy);
            return difference(mine.density.matrices[0], exact.density.matrices[0]);
        };
        const double rough = error(1e-4), fine = error(1e-7);
        BOOST_TEST_MESSAGE(method << ": single " << rough << ", double " << fine);
        BOOST_TEST(rough < 2e-4);
        BOOST_TEST(rough > 1e-7);  // it is single precision
        BOOST_TEST(fine < 1e-7);
    }
}

BOOST_AUTO_TEST_CASE(self_consistent_energies_and_forces_agree) {
    struct Case {
        Structure structure;
        double kelvin;
    };
    for (const Case& c : {Case{testing::ragged_flake(9, 0.03), 3000},
                          {testing::ragged_flake(9, 0.03), 5000},
                          {testing::gapped_sheet(7), 0},
                          {testing::gapped_sheet(7), 300}}) {
        BOOST_TEST(c.structure.size() >= 96);
        std::vector<std::string> precisions;  // of the density matrices of purification
        Context context;
        context.log_sink = [&](Context::Level, std::string_view text) {
            if (text.starts_with("purification in ")) precisions.emplace_back(text.substr(16, 6));
        };
        const auto evaluate = [&](const std::string& solver, const std::string& method) {
            SccDftbOptions options = testing::builtin_options();
            options.electronic_temperature = c.kelvin * units::kelvin;
            options.scc.tolerance = 1e-6;
            options.solver = solver;
            options.device = {"host", method};
            SccDftb calculator(options);
            Evaluation out;
            calculator.evaluate(c.structure, {.forces = true, .stress = false}, out, context);
            return out;
        };
        const Evaluation exact = evaluate("dense", "auto");
        for (const std::string method : {"exact", "purification", "pole-expansion"}) {
            const Evaluation mine = evaluate("cuda", method);
            // Without a temperature there is no recursion and there are no poles.
            BOOST_TEST(mine.solver == "host-" + (c.kelvin > 0 ? method : "exact"));
            const double energy = (mine.energy - exact.energy) / c.structure.size();
            const double forces = (mine.forces - exact.forces).cwiseAbs().maxCoeff();
            BOOST_TEST_MESSAGE(method << " " << c.kelvin << " K: E " << energy << ", F " << forces << ", "
                                      << mine.iterations << " cycles, " << exact.iterations);
            BOOST_CHECK_SMALL(energy, method == "exact" ? 1e-9 : 1e-7);
            BOOST_CHECK_SMALL(forces, 1e-5);
            // Early cycles in single precision cost no more cycles to speak of.
            BOOST_TEST(std::abs(mine.iterations - exact.iterations) <= 3);
        }
        // Far from self-consistency in single precision, at the end in double.
        if (c.kelvin == 0) continue;
        BOOST_REQUIRE(precisions.size() > 2);
        BOOST_TEST(precisions.front() == "single");
        BOOST_TEST(precisions.back() == "double");
    }
}

BOOST_AUTO_TEST_CASE(what_a_fast_path_cannot_do_is_done_exactly_and_said) {
    const ElectronicState& m = metal();
    for (const DeviceMethod method : {DeviceMethod::purification, DeviceMethod::poles}) {
        DeviceSolver solver([] { return make_host_device(); }, method, true, false, 0);
        for (const Electrons& electrons :
             {neutral(m, 0),
              Electrons{.number = neutral(m, 0).number, .kT = 0.01, .filling = Filling::gaussian}}) {
            const Solved mine = solve(solver, m, electrons), exact = by_diagonalisation(m, electrons);
            BOOST_TEST(mine.name == "host-exact");
            BOOST_CHECK_SMALL(difference(mine.density.matrices[0], exact.density.matrices[0]), 1e-9);
        }
        const Solved cold = solve(solver, m, neutral(m, 300));
        BOOST_TEST(cold.name != "host-exact");
    }
}

BOOST_AUTO_TEST_CASE(a_device_that_fails_is_replaced_only_where_the_choice_was_free) {
    const auto m = testing::matrices(testing::ragged_flake(15, 0.03));
    BOOST_TEST(m->basis.n_orbitals() >= 1000);
    const Electrons electrons = neutral(*m, 1000);
    const Solved exact = by_diagonalisation(*m, electrons);
    const auto no_driver = []() -> std::unique_ptr<Device> {
        throw BackendError("cudaGetDeviceCount failed: no driver");
    };
    // Room for the operations, not for the matrices.
    const auto small = [] { return make_host_device(16 << 20); };
    for (const auto& open : {DeviceSolver::Open(no_driver), DeviceSolver::Open(small)}) {
        DeviceSolver free_choice(open, DeviceMethod::exact, true, true, 0);
        const Solved mine = solve(free_choice, *m, electrons);
        BOOST_TEST((mine.name == "dense" || mine.name == "pole-expansion"));
        BOOST_CHECK_SMALL(difference(mine.density.matrices[0], exact.density.matrices[0]), 1e-6);
        bool said = false;
        for (const std::string& line : mine.log) said = said || line.find("failed") != std::string::npos;
        BOOST_TEST(said);
        BOOST_CHECK_THROW(
            {
                DeviceSolver wanted(open, DeviceMethod::exact, true, false, 0);
                solve(wanted, *m, electrons);
            },
            BackendError);
    }
    // Small systems never wait for a device.
    DeviceSolver free_choice(no_driver, DeviceMethod::automatic, true, true, 0);
    BOOST_TEST(solve(free_choice, metal(), neutral(metal(), 1000)).name == "dense");
    // k-points are for the processor.
    DeviceSolver wanted([] { return make_host_device(); }, DeviceMethod::exact, false, false, 0);
    BOOST_CHECK_THROW(wanted.analyze(metal().pattern, KPoints{}), UnsupportedError);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_at_any_point_is_named_and_does_no_harm) {
    const auto m = testing::matrices(testing::ragged_flake(15, 0.03));
    const Electrons electrons = neutral(*m, 1000);
    const Solved exact = by_diagonalisation(*m, electrons);
    // The transfers fail from a step of the computation on: overlap, density matrix, energy-weighted one.
    for (int step = 0; step < 3; ++step) {
        bool broken = false;
        const auto run = [&](bool choose) {
            broken = false;
            DeviceSolver solver([&] { return std::make_unique<WatchedDevice>(broken); }, DeviceMethod::exact,
                                true, choose, 0);
            Solved result;
            Context context;
            context.log_sink = [&](Context::Level level, std::string_view text) {
                if (level == Context::Level::warning) result.log.emplace_back(text);
            };
            solver.set_context(context);
            solver.analyze(m->pattern, KPoints{});
            broken = step == 0;
            solver.set_overlap(m->overlap);
            broken = step <= 1;
            solver.solve(m->hamiltonian, electrons, result.density);
            broken = true;
            solver.energy_weighted(result.weighted);
            return result;
        };
        const auto names_it = [](const std::string& text) {
            return text.find("cudaMemcpyAsync failed") != std::string::npos;
        };
        const Solved mine = run(true);
        BOOST_CHECK_SMALL(difference(mine.density.matrices[0], exact.density.matrices[0]), 1e-6);
        BOOST_CHECK_SMALL(difference(mine.weighted, exact.weighted), 1e-6);
        BOOST_REQUIRE(mine.log.size() == 1u);
        BOOST_TEST(names_it(mine.log[0]), mine.log[0]);
        BOOST_CHECK_EXCEPTION(run(false), BackendError,
                              [&](const BackendError& e) { return names_it(e.what()); });
    }
}

BOOST_AUTO_TEST_CASE(only_the_elements_of_the_pattern_cross_the_bus) {
    const auto m = testing::matrices(testing::ragged_flake(15, 0.03));
    const auto n = static_cast<std::size_t>(m->basis.n_orbitals());
    const std::size_t pattern = m->pattern.n_values() * sizeof(double), whole = n * n * sizeof(double);
    for (const std::string method : {"exact", "purification", "pole-expansion"}) {
        bool broken = false;
        WatchedDevice device(broken);
        const auto solver = on(device, method);
        solver->analyze(m->pattern, KPoints{});
        solver->set_overlap(m->overlap);
        Density density;
        solver->solve(m->hamiltonian, neutral(*m, 1000), density);
        device.transferred = 0;
        solver->solve(m->hamiltonian, neutral(*m, 1000), density);
        BlockMatrix weighted;
        solver->energy_weighted(weighted);
        BOOST_TEST_MESSAGE(method << ": " << device.transferred << " bytes, pattern " << pattern
                                  << ", whole matrix " << whole);
        // H in, P and W out, and a few vectors.
        BOOST_TEST(device.transferred < 4 * pattern + 8 * n * sizeof(double));
        BOOST_TEST(device.transferred < whole / 2);
    }
}

BOOST_AUTO_TEST_CASE(near_atoms_answer_as_on_the_processor_and_inverses_cross_the_bus_only_for_that) {
    const ElectronicState& m = metal();
    // The inverses cross in single precision.
    for (const double accuracy : {0.0, 1e-4}) {
        bool broken = false;
        WatchedDevice device(broken);
        const auto mine = on(device, "pole-expansion"), expected = make_density_solver("pole-expansion");
        for (const int n_spins : {1, 2}) {
            Electrons electrons = neutral(m, 1000);
            electrons.n_spins = n_spins;
            solve(*expected, m, electrons);
            solve(*mine, m, electrons, accuracy);
            device.transferred = 0;
            const auto got = mine->near_response(electrons.kT),
                       wanted = expected->near_response(electrons.kT);
            BOOST_REQUIRE(got.size() == static_cast<std::size_t>(n_spins));
            constexpr std::size_t most_poles = 24;
            BOOST_TEST(device.transferred > 0u);
            BOOST_TEST(device.transferred <=
                       got.size() * most_poles * m.pattern.n_values() * sizeof(std::complex<float>));
            for (std::size_t spin = 0; spin < got.size(); ++spin) {
                const double error =
                    Eigen::MatrixXd(got[spin].shells - wanted[spin].shells).cwiseAbs().maxCoeff();
                const double largest = Eigen::MatrixXd(wanted[spin].shells).cwiseAbs().maxCoeff();
                BOOST_TEST_MESSAGE("response " << error << " of " << largest << ", " << device.transferred
                                               << " bytes");
                BOOST_TEST(error < (accuracy > 0 ? 1e-3 : 1e-5) * largest);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_overlap_that_is_not_positive_definite_is_an_error) {
    const ElectronicState& m = metal();
    BlockMatrix bad = m.overlap;
    for (const Block& b : m.pattern.blocks())
        if (b.on_site() && b.i == 40) bad.block(b) *= -1;
    for (const std::string method : {"exact", "purification", "pole-expansion"}) {
        const auto device = make_host_device();
        const auto solver = on(*device, method);
        solver->analyze(m.pattern, KPoints{});
        BOOST_CHECK_THROW(solver->set_overlap(bad), NumericalError);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Time of one SCC-DFTB energy with forces, by part, against the bare generalised diagonalisations of LAPACK;
// time of one density matrix, the solvers side by side.
#include <benchmark/benchmark.h>
#include <lapacke.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>

#include "stembridge/base/random.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace {

using namespace stembridge;

/// A round flake of graphene, rumpled, with its edge closed by hydrogen.
Structure flake(double radius_angstrom) {
    Structure s = graphene_flake(radius_angstrom * units::angstrom);
    Random random(1);
    for (int i = 0; i < s.size(); ++i) s.positions(2, i) += random.uniform(-0.1, 0.1);
    BuildReport report;
    return terminate_with_hydrogen(s, {}, report).structure;
}

/// Seconds of one dsygvd of the size of the problem: the yardstick.
double bare_diagonalisation(int n) {
    std::srand(1);
    const Eigen::MatrixXd random = Eigen::MatrixXd::Random(n, n);
    double best = 1e9;
    for (int repeat = 0; repeat < 3; ++repeat) {
        Eigen::MatrixXd h = random + random.transpose();
        Eigen::MatrixXd s = Eigen::MatrixXd::Identity(n, n) + 0.1 / n * h;
        Eigen::VectorXd e(n);
        const Timer timer;
        LAPACKE_dsygvd(LAPACK_COL_MAJOR, 1, 'V', 'L', n, h.data(), n, s.data(), n, e.data());
        best = std::min(best, timer.seconds());
    }
    return best;
}

void energy_and_forces(benchmark::State& state) {
    tb::SccDftbOptions options;
    options.parameters = {STEMBRIDGE_PARAMETERS};
    options.electronic_temperature = 300 * units::kelvin;
    options.scc.tolerance = 1e-5;
    const Structure s = flake(static_cast<double>(state.range(0)) / 10);
    tb::SccDftb calculator(options);
    Evaluation out;
    int cycles = 0;
    double seconds = 0;
    for (auto _ : state) {
        calculator.forget();
        const Timer timer;
        calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
        seconds += timer.seconds();
        cycles += out.iterations;
    }
    const auto runs = static_cast<double>(state.iterations());
    for (const auto& [part, time] : calculator.seconds()) state.counters[part + "_ms"] = 1e3 * time / runs;
    state.counters["atoms"] = s.size();
    state.counters["orbitals"] = out.n_orbitals;
    state.counters["cycles"] = cycles / runs;
    state.counters["ratio_to_dsygvd"] = seconds / (cycles * bare_diagonalisation(out.n_orbitals));
}
BENCHMARK(energy_and_forces)->Arg(60)->Arg(88)->Arg(130)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Hamiltonian and overlap of a rattled flake of about so many atoms, at neutral charges.
const tb::ElectronicState& matrices(int n_atoms) {
    static std::map<int, std::unique_ptr<tb::ElectronicState>> known;
    auto& state = known[n_atoms];
    if (state) return *state;
    Structure s = graphene_flake(0.913 * std::sqrt(n_atoms) * units::angstrom);
    Random random(1);
    for (int i = 0; i < s.size(); ++i)
        for (int k = 0; k < 3; ++k) s.positions(k, i) += 0.05 * units::angstrom * random.normal();
    tb::SccDftbOptions options;
    options.parameters = {STEMBRIDGE_PARAMETERS};
    options.scc.enabled = false;
    options.solver = "pole-expansion";
    tb::SccDftb calculator(options);
    Evaluation out;
    calculator.evaluate(s, {.forces = false, .stress = false}, out, Context{});
    state = calculator.electronic_state();
    return *state;
}

double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// A density matrix as in the middle of a self-consistency, where the Fermi level is nearly known; processor
/// seconds of all threads, also by part, and the exponent of their growth since the size before.
/// @param accuracy of the populations
void density_matrix(benchmark::State& state, const std::string& name, double accuracy) {
    static std::map<std::string, std::pair<double, double>> previous;
    const tb::ElectronicState& m = matrices(static_cast<int>(state.range(0)));
    const auto solver = tb::make_density_solver(name);
    solver->analyze(m.pattern, {});
    solver->set_overlap(m.overlap);
    const tb::Electrons electrons{.number = m.basis.neutral_shells().sum(), .kT = 300 * units::kelvin};
    tb::Density density;
    // The first finds the Fermi level, the next the poles that need to reach less far and the memory.
    constexpr double rough = 1e-4;
    if (name != "dense")
        for (const double a : {rough, rough, accuracy, accuracy}) {
            solver->set_accuracy(a);
            solver->solve(m.hamiltonian, electrons, density);
        }
    solver->set_accuracy(accuracy);
    std::map<std::string, double> parts = solver->seconds();
    double cpu = 0;
    for (auto _ : state) {
        const double start = cpu_seconds();
        solver->solve(m.hamiltonian, electrons, density);
        cpu += cpu_seconds() - start;
    }
    const auto runs = static_cast<double>(state.iterations());
    for (const auto& [part, time] : solver->seconds())
        if (time > parts[part]) state.counters[part + "_s"] = (time - parts[part]) / runs;
    cpu /= runs;
    const double atoms = m.basis.n_atoms();
    state.counters["atoms"] = atoms;
    state.counters["orbitals"] = m.basis.n_orbitals();
    state.counters["cpu_s"] = cpu;
    const std::string series = name + std::to_string(accuracy);
    if (const auto before = previous.find(series); before != previous.end() && before->second.first < atoms)
        state.counters["exponent"] =
            std::log(cpu / before->second.second) / std::log(atoms / before->second.first);
    previous[series] = {atoms, cpu};
}

void sizes(benchmark::internal::Benchmark* b, int smallest, int largest) {
    for (const int atoms : {96, 200, 512, 1008, 2043, 4032, 8400})
        if (atoms >= smallest && atoms <= largest) b->Arg(atoms);
    b->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
}
// "large" takes minutes: ./dev bench all.
BENCHMARK_CAPTURE(density_matrix, dense, "dense", 0.0)->Apply([](auto* b) { sizes(b, 0, 512); });
BENCHMARK_CAPTURE(density_matrix, dense_large, "dense", 0.0)->Apply([](auto* b) { sizes(b, 513, 2043); });
BENCHMARK_CAPTURE(density_matrix, poles, "pole-expansion", 1e-6)->Apply([](auto* b) { sizes(b, 0, 1008); });
BENCHMARK_CAPTURE(density_matrix, poles_large, "pole-expansion", 1e-6)->Apply([](auto* b) {
    sizes(b, 1009, 8400);
});
BENCHMARK_CAPTURE(density_matrix, poles_rough, "pole-expansion", 1e-4)->Apply([](auto* b) {
    sizes(b, 0, 1008);
});
BENCHMARK_CAPTURE(density_matrix, poles_rough_large, "pole-expansion", 1e-4)->Apply([](auto* b) {
    sizes(b, 1009, 8400);
});

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// Time of one SCC-DFTB energy with forces, by part, against the bare generalised diagonalisations of LAPACK.
#include <benchmark/benchmark.h>
#include <lapacke.h>

#include <cstdlib>

#include "stembridge/base/random.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/structure/builders.hpp"
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

}  // namespace

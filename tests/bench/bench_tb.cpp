// SPDX-License-Identifier: Apache-2.0
// Time of one SCC-DFTB energy with forces, by part, against the bare generalised diagonalisations of LAPACK.
// Needs published tables: set STEMBRIDGE_REFERENCE_DATA to the folder that holds skf/pbc-0-3.
#include <benchmark/benchmark.h>
#include <lapacke.h>

#include <cstdlib>
#include <filesystem>

#include "stembridge/base/timer.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace {

using namespace stembridge;

/// A round flake of graphene with its edge closed by hydrogen: 2-fold carbon gets one H.
Structure flake(double radius_angstrom) {
    const double d = 1.42 * units::angstrom, radius = radius_angstrom * units::angstrom;
    Structure s;
    for (int a = -30; a <= 30; ++a)
        for (int b = -30; b <= 30; ++b)
            for (int basis = 0; basis < 2; ++basis) {
                const Eigen::Vector3d x(1.5 * d * (a + b) + basis * d, std::sqrt(0.75) * d * (a - b),
                                        0.02 * (a * b % 5));
                if (x.head(2).norm() < radius) s.add(6, x);
            }
    // Single-bonded atoms go, then the edge is closed.
    const auto neighbors = [&](int i) {
        std::vector<int> near;
        for (int j = 0; j < s.size(); ++j)
            if (j != i && s.atomic_numbers[static_cast<std::size_t>(j)] == 6 &&
                (s.positions.col(i) - s.positions.col(j)).norm() < 1.2 * d)
                near.push_back(j);
        return near;
    };
    std::vector<int> kept;
    for (int i = 0; i < s.size(); ++i)
        if (neighbors(i).size() > 1) kept.push_back(i);
    s = s.selected(kept);
    const int n_carbon = s.size();
    for (int i = 0; i < n_carbon; ++i) {
        const auto near = neighbors(i);
        if (near.size() != 2) continue;
        const Eigen::Vector3d out =
            2 * s.positions.col(i) - s.positions.col(near[0]) - s.positions.col(near[1]);
        s.add(1, s.positions.col(i) + 1.09 * units::angstrom * out.normalized());
    }
    return s;
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
    const char* reference = std::getenv("STEMBRIDGE_REFERENCE_DATA");
    if (reference == nullptr) {
        state.SkipWithError("STEMBRIDGE_REFERENCE_DATA is not set");
        return;
    }
    tb::SccDftbOptions options;
    options.parameters = {std::filesystem::path(reference) / "skf" / "pbc-0-3"};
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

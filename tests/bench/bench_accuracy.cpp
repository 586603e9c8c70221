// SPDX-License-Identifier: Apache-2.0
// Accuracy of the pole expansion against diagonalisation, as a table: largest errors of one density matrix by
// the tolerance of the charges, from which the number of poles and their precision follow.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace {

using namespace stembridge;

void rattle(Structure& s, double angstrom) {
    Random random(3);
    for (int i = 0; i < s.size(); ++i)
        for (int k = 0; k < 3; ++k) s.positions(k, i) += angstrom * units::angstrom * random.normal();
}

Structure without(const Structure& s, const std::vector<int>& atoms) {
    Structure result;
    result.cell = s.cell;
    for (int i = 0; i < s.size(); ++i)
        if (std::find(atoms.begin(), atoms.end(), i) == atoms.end())
            result.add(s.atomic_numbers[static_cast<std::size_t>(i)], s.positions.col(i));
    return result;
}

/// Periodic sheet with two silicon atoms and a vacancy.
Structure sheet() {
    Structure s = graphene_sheet(6, 6);
    s.atomic_numbers[10] = s.atomic_numbers[60] = 14;
    s.positions(2, 10) += 1.2 * units::angstrom;
    rattle(s, 0.04);
    return without(s, {90});
}

/// Bare flake with three vacancies and a silicon atom: a metal.
Structure flake() {
    Structure s = graphene_flake(12 * units::angstrom);
    s.atomic_numbers[40] = 14;
    s.positions(2, 40) += 1.2 * units::angstrom;
    rattle(s, 0.04);
    return without(s, {30, 31, 90});
}

/// Flake closed with hydrogen that carries a silicon and a carbon adatom.
Structure with_adatoms() {
    Structure s = graphene_flake(11 * units::angstrom);
    BuildReport report;
    s = terminate_with_hydrogen(s, {}, report).structure;
    rattle(s, 0.03);
    const Eigen::Vector3d a = s.positions.col(20), b = s.positions.col(60);
    s.add(14, a + Eigen::Vector3d(0, 0, 2.0 * units::angstrom));
    s.add(6, b + Eigen::Vector3d(0.7 * units::angstrom, 0, 1.5 * units::angstrom));
    return s;
}

Evaluation evaluate(const Structure& s, const std::string& solver, double kelvin, double tolerance) {
    tb::SccDftbOptions options;
    options.parameters = {STEMBRIDGE_PARAMETERS};
    options.solver = solver;
    options.electronic_temperature = kelvin * units::kelvin;
    options.scc.enabled = false;
    options.scc.tolerance = tolerance;
    tb::SccDftb calculator(options);
    Evaluation out;
    calculator.evaluate(s, {.forces = true, .stress = false}, out, Context{});
    return out;
}

void accuracy(benchmark::State& state, const Structure& s) {
    const auto kelvin = static_cast<double>(state.range(0));
    const double tolerance = std::pow(10.0, static_cast<double>(-state.range(1)));
    const Evaluation exact = evaluate(s, "dense", kelvin, tolerance);
    Evaluation poles;
    for (auto _ : state) poles = evaluate(s, "pole-expansion", kelvin, tolerance);
    state.counters["atoms"] = s.size();
    state.counters["energy_per_atom"] = std::abs(poles.energy - exact.energy) / s.size();
    state.counters["force"] = (poles.forces - exact.forces).cwiseAbs().maxCoeff();
    state.counters["charge"] = (poles.charges - exact.charges).cwiseAbs().maxCoeff();
}

void all_cases(benchmark::internal::Benchmark* b) {
    for (const int kelvin : {300, 1000})
        for (const int digits : {5, 6, 8}) b->Args({kelvin, digits});
    b->ArgNames({"kelvin", "digits_of_tolerance"})->Unit(benchmark::kMillisecond)->Iterations(1);
}
BENCHMARK_CAPTURE(accuracy, sheet, sheet())->Apply(all_cases);
BENCHMARK_CAPTURE(accuracy, flake_with_vacancies, flake())->Apply(all_cases);
BENCHMARK_CAPTURE(accuracy, adatoms, with_adatoms())->Apply(all_cases);

}  // namespace

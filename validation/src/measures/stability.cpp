// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "measures.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/md/dynamics.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::validation {
namespace {

// Pairs of bonded carbon atoms.
std::set<std::pair<int, int>> carbon_bonds(const Structure& s) {
    std::set<std::pair<int, int>> pairs;
    for (const Bond& b : BondGraph(s).bonds())
        if (s.atomic_numbers[static_cast<std::size_t>(b.i)] == 6 &&
            s.atomic_numbers[static_cast<std::size_t>(b.j)] == 6)
            pairs.insert({b.i, b.j});
    return pairs;
}

std::size_t differences(const std::set<std::pair<int, int>>& a, const std::set<std::pair<int, int>>& b) {
    std::size_t n = 0;
    for (const auto& pair : a) n += 1 - b.count(pair);
    for (const auto& pair : b) n += 1 - a.count(pair);
    return n;
}

}  // namespace

Findings measure_stability(const io::Config& setup, const Laboratory& laboratory) {
    BuildReport report;
    const Structure sheet =
        graphene_flake(setup.quantity("setup.radius"), setup.quantity("setup.bond_length"));
    const Bond bond = middle_bond(sheet);
    Structure start = terminate_with_hydrogen(with_rotated_bond(sheet, bond.i, bond.j), {}, report).structure;
    laboratory.relaxed_energy(setup, start, start.formula());
    const auto bonds = carbon_bonds(start);

    Findings f;
    f.notes.push_back(fmt::format("{} with one 5-7-7-5, {} steps of 1 fs each, Nose-Hoover chain",
                                  start.formula(), setup.integer("setup.steps")));
    for (const double kT : setup.quantities("setup.temperatures")) {
        const std::string name = fmt::format("{:.0f}K", kT / units::kelvin);
        tb::SccDftbOptions options = laboratory.options(setup);
        options.kpoints = {};
        options.scc.cycles_per_step = 1;
        const auto calculator = tb::make_scc_dftb(options);
        md::DynamicsOptions dynamics;
        dynamics.temperature = kT;
        dynamics.hold_rotation = true;
        md::MolecularDynamics run(start, *calculator, dynamics, laboratory.context());
        std::map<int, std::pair<double, int>> by_ring;  // ring size -> sum and number of bond lengths
        double temperature = 0;
        int samples = 0;
        const bool finished = run.run(setup.integer("setup.steps"), [&](const md::DynamicsObservables& o) {
            temperature += o.temperature;
            ++samples;
            if (o.step % 20 != 0) return;
            for (const auto& [size, pairs] : analyze(run.structure()).bonds_by_ring_size)
                if (const auto cc = pairs.find("C-C"); cc != pairs.end()) {
                    by_ring[size].first += cc->second.mean * cc->second.count;
                    by_ring[size].second += cc->second.count;
                }
        });
        if (!finished) throw StoppedError("stopped in the dynamics at " + name);
        // What is left once the heat is taken out again.
        Structure end = run.structure();
        end.velocities.resize(3, 0);
        md::RelaxOptions quench;
        quench.max_force = 0.1 * units::electronvolt_per_angstrom;
        md::relax(end, *laboratory.calculator(setup, end), quench, {}, laboratory.context());
        f.values["changed_bonds_" + name] = static_cast<double>(differences(bonds, carbon_bonds(end)));
        f.values["temperature_" + name] = temperature / samples / units::kelvin;
        for (const auto& [size, sum] : by_ring)
            if (size >= 5 && size <= 7)
                f.values[fmt::format("ring{}_cc_angstrom_{}", size, name)] =
                    sum.first / sum.second / units::angstrom;
        f.figures.push_back(picture_of(end, "after_" + name, name + ", quenched"));
    }
    return f;
}

}  // namespace stembridge::validation

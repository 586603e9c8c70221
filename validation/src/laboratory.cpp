// SPDX-License-Identifier: Apache-2.0
// What the computations share.
#include <fmt/format.h>

#include <algorithm>

#include "measures.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/analysis.hpp"

namespace stembridge::validation {

const std::map<std::string, Measure>& measures() {
    static const std::map<std::string, Measure> all = {
        {"graphene", measure_graphene}, {"flake", measure_flake},       {"phonons", measure_phonons},
        {"defects", measure_defects},   {"silicon", measure_silicon},   {"chromium", measure_chromium},
        {"groups", measure_groups},     {"rotation", measure_rotation}, {"stability", measure_stability}};
    return all;
}

tb::SccDftbOptions Laboratory::options(const io::Config& setup, const tb::SpinOptions& spin) const {
    tb::SccDftbOptions o;
    o.parameters = parameters_;
    o.electronic_temperature = setup.quantity("setup.electronic_temperature");
    const auto divisions = setup.integers("setup.kpoints");
    for (std::size_t k = 0; k < 3; ++k) o.kpoints.divisions[k] = static_cast<int>(divisions[k]);
    o.kpoints.gamma_centered = true;
    o.scc.shell_resolved = true;  // only Cr has Hubbard parameters that differ by shell
    o.scc.tolerance = 1e-6;
    o.spin = spin;
    return o;
}

std::unique_ptr<Calculator> Laboratory::calculator(const io::Config& setup, const Structure& structure,
                                                   const tb::SpinOptions& spin) const {
    tb::SccDftbOptions o = options(setup, spin);
    if (!structure.cell.is_periodic()) o.kpoints = {};
    return tb::make_scc_dftb(o);
}

md::RelaxResult Laboratory::relax(const io::Config& setup, Structure& structure, Calculator& calculator,
                                  const std::string& what, md::CellRelaxation cell) const {
    md::RelaxOptions o;
    o.max_force = setup.quantity("setup.max_force");
    o.cell = cell;
    const md::RelaxResult result = md::relax(structure, calculator, o, {}, context_);
    if (result.status == md::RelaxStatus::stopped) throw StoppedError("stopped while relaxing " + what);
    if (result.status != md::RelaxStatus::converged)
        throw NumericalError(fmt::format("{} did not relax: {} after {} evaluations", what,
                                         md::to_string(result.status), result.steps));
    return result;
}

double Laboratory::relaxed_energy(const io::Config& setup, Structure& structure, const std::string& what,
                                  const tb::SpinOptions& spin) const {
    const auto c = calculator(setup, structure, spin);
    return relax(setup, structure, *c, what).evaluation.energy_zero;
}

SpinState Laboratory::lowest_spin_state(const io::Config& setup, Structure& structure,
                                        const std::string& what,
                                        const std::vector<std::optional<double>>& unpaired) const {
    std::optional<SpinState> best;
    Structure lowest;
    std::string problems;
    for (const std::optional<double>& electrons : unpaired) {
        Structure own = structure;
        const std::string name =
            electrons ? fmt::format("{} with {} unpaired electrons", what, *electrons) : what;
        try {
            const double energy =
                relaxed_energy(setup, own, name, {.polarized = true, .unpaired = electrons, .constants = {}});
            if (best && best->energy <= energy) continue;
            best = {energy, electrons};
            lowest = std::move(own);
        } catch (const StoppedError&) {
            throw;
        } catch (const Error& error) {
            problems += fmt::format("{}{}", problems.empty() ? "" : "; ", error.what());
        }
    }
    if (!best) throw NumericalError(problems);
    structure = std::move(lowest);
    return *best;
}

Structure sheet_of(const io::Config& setup) {
    const auto cells = setup.integers("setup.cells");
    return graphene_sheet(static_cast<int>(cells[0]), static_cast<int>(cells[1]),
                          setup.quantity("setup.bond_length"));
}

Bond middle_bond(const Structure& structure) {
    const Eigen::Vector3d middle = structure.positions.rowwise().mean();
    const std::vector<Bond> bonds = BondGraph(structure).bonds();
    const auto distance = [&](const Bond& b) {
        return (structure.positions.col(b.i) + 0.5 * b.r_ij - middle).head<2>().norm();
    };
    return *std::min_element(bonds.begin(), bonds.end(),
                             [&](const Bond& a, const Bond& b) { return distance(a) < distance(b); });
}

io::Figure picture_of(const Structure& structure, const std::string& name, const std::string& caption) {
    const StructureAnalysis analysis = analyze(structure);
    io::StructureView view;
    view.name = name;
    view.caption = caption;
    view.structure = structure;
    view.bonds = BondGraph(structure).bonds();
    view.rings = analysis.rings;
    view.width = 360;
    return io::draw(view);
}

}  // namespace stembridge::validation

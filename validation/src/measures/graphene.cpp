// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "measures.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/md/vibrations.hpp"

namespace stembridge::validation {
namespace {

using units::angstrom;

// A stress of a sheet in a box counts per length of its edge: times the height of the box, in N/m.
constexpr double newton_per_metre = 1.0 / 1556.893;  // hartree/bohr^2

Eigen::Matrix3d strained_stress(const io::Config& setup, const Laboratory& laboratory, Structure sheet,
                                const Eigen::Vector2d& strain) {
    for (int axis = 0; axis < 2; ++axis) {
        sheet.cell.vectors.row(axis) *= 1 + strain[axis];
        sheet.positions.row(axis) *= 1 + strain[axis];
    }
    const auto calculator = laboratory.calculator(setup, sheet);
    laboratory.relax(setup, sheet, *calculator, "strained graphene");
    Evaluation out;
    calculator->evaluate(sheet, {true, true}, out, laboratory.context());
    return *out.stress * sheet.cell.vectors(2, 2);
}

// Two atoms; the cell whose vibrations at Gamma are those of graphene at Gamma alone.
Structure primitive_graphene(double bond_length) {
    const double a = std::sqrt(3.0) * bond_length;
    Structure s;
    s.cell.vectors.col(0) = Eigen::Vector3d(a, 0, 0);
    s.cell.vectors.col(1) = Eigen::Vector3d(-a / 2, a * std::sqrt(3.0) / 2, 0);
    s.cell.vectors.col(2) = Eigen::Vector3d(0, 0, 20 * angstrom);
    s.cell.periodic = {true, true, true};
    s.add(6, Eigen::Vector3d(0, 0, 10 * angstrom));
    s.add(6, Eigen::Vector3d(0, bond_length, 10 * angstrom));
    return s;
}

}  // namespace

Findings measure_graphene(const io::Config& setup, const Laboratory& laboratory) {
    Structure sheet = sheet_of(setup);
    const auto calculator = laboratory.calculator(setup, sheet);
    laboratory.relax(setup, sheet, *calculator, "graphene", md::CellRelaxation::in_plane);
    const auto cells = setup.integers("setup.cells");

    // C_ij = d sigma_i / d strain_j by central differences, atoms relaxed.
    constexpr double d = 0.005;
    const auto stress = [&](double x, double y) { return strained_stress(setup, laboratory, sheet, {x, y}); };
    const Eigen::Matrix3d x = (stress(d, 0) - stress(-d, 0)) / (2 * d);
    const Eigen::Matrix3d y = (stress(0, d) - stress(0, -d)) / (2 * d);
    const double c11 = 0.5 * (x(0, 0) + y(1, 1)) / newton_per_metre;
    const double c12 = 0.5 * (x(1, 1) + y(0, 0)) / newton_per_metre;

    Findings f;
    f.values["lattice_constant_angstrom"] =
        sheet.cell.vectors(0, 0) / static_cast<double>(cells[0]) / angstrom;
    const auto bonds = BondGraph(sheet).bonds();
    double sum = 0;
    for (const Bond& bond : bonds) sum += bond.length;
    f.values["cc_angstrom"] = sum / static_cast<double>(bonds.size()) / angstrom;
    f.values["c11_newton_per_metre"] = c11;
    f.values["c12_newton_per_metre"] = c12;
    f.values["young_newton_per_metre"] = (c11 * c11 - c12 * c12) / c11;
    f.values["poisson_ratio"] = c12 / c11;
    return f;
}

Findings measure_phonons(const io::Config& setup, const Laboratory& laboratory) {
    Structure cell = primitive_graphene(setup.quantity("setup.bond_length"));
    const auto calculator = laboratory.calculator(setup, cell);
    laboratory.relax(setup, cell, *calculator, "graphene", md::CellRelaxation::in_plane);
    md::HessianCalculation hessian(cell, *calculator, md::default_displacement, laboratory.context());
    if (!hessian.run()) throw StoppedError("stopped in the Hessian of graphene");
    const md::NormalModes modes = md::normal_modes(cell, hessian.hessian());
    // Three optical modes: the in-plane pair E2g and the out-of-plane B2g.
    Findings f;
    double in_plane = 0, out_of_plane = 0;
    int n_in_plane = 0;
    for (int k = 0; k < modes.n_modes(); ++k) {
        const double wavenumber = modes.frequencies[k] / units::inverse_centimetre;
        if (modes.mode(k).row(2).norm() > 0.7) {
            out_of_plane = wavenumber;
        } else {
            in_plane += wavenumber;
            ++n_in_plane;
        }
    }
    f.values["e2g_per_centimetre"] = in_plane / n_in_plane;
    f.values["b2g_per_centimetre"] = out_of_plane;
    return f;
}

Findings measure_flake(const io::Config& setup, const Laboratory& laboratory) {
    BuildReport report;
    Structure flake =
        terminate_with_hydrogen(
            graphene_flake(setup.quantity("setup.radius"), setup.quantity("setup.bond_length")), {}, report)
            .structure;
    laboratory.relaxed_energy(setup, flake, flake.formula());
    Findings f;
    std::map<int, std::pair<double, int>> sums;  // by the smaller atomic number of the pair
    for (const Bond& bond : BondGraph(flake).bonds()) {
        const int z = std::min(flake.atomic_numbers[static_cast<std::size_t>(bond.i)],
                               flake.atomic_numbers[static_cast<std::size_t>(bond.j)]);
        sums[z].first += bond.length / angstrom;
        ++sums[z].second;
    }
    f.values["cc_angstrom"] = sums[6].first / sums[6].second;
    f.values["ch_angstrom"] = sums[1].first / sums[1].second;
    f.notes.push_back(flake.formula());
    f.figures.push_back(picture_of(flake, "flake", "The relaxed flake"));
    return f;
}

}  // namespace stembridge::validation

// SPDX-License-Identifier: Apache-2.0
#include "sheets.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"
#include "support/support.hpp"

namespace stembridge::testing {

using namespace stembridge::tb;

SccDftbOptions builtin_options() {
    SccDftbOptions o;
    o.parameters = {source_folder() / "data" / "parameters" / "stembridge-1"};
    return o;
}

SccDftbOptions builtin() {
    SccDftbOptions o = builtin_options();
    o.solver = "dense";
    o.scc.enabled = false;
    return o;
}

Structure ragged_flake(double radius_angstrom, double rattle, const std::vector<int>& vacancies) {
    const Structure whole = graphene_flake(radius_angstrom * units::angstrom);
    Structure s;
    Random random(7);
    for (int i = 0; i < whole.size(); ++i) {
        Eigen::Vector3d r = whole.positions.col(i);
        for (int k = 0; k < 3; ++k) r(k) += rattle * units::angstrom * random.normal();
        if (std::find(vacancies.begin(), vacancies.end(), i) == vacancies.end())
            s.add(i == 11 ? 14 : 6, r + (i == 11 ? Eigen::Vector3d(0, 0, 1.5) : Eigen::Vector3d(0, 0, 0)));
    }
    return s;
}

Structure gapped_sheet(int repeats) {
    const double bond = 1.78 * units::angstrom, a = std::sqrt(3.0) * bond;
    Structure s;
    for (int i = 0; i < repeats; ++i)
        for (int j = 0; j < repeats; ++j) {
            const Eigen::Vector3d origin(a * (i + 0.5 * j), a * std::sqrt(0.75) * j, 0);
            s.add(6, origin);
            s.add(14, origin + Eigen::Vector3d(0, bond, 0));
        }
    s.cell.vectors.col(0) << a * repeats, 0, 0;
    s.cell.vectors.col(1) << 0.5 * a * repeats, a * std::sqrt(0.75) * repeats, 0;
    s.cell.vectors.col(2) << 0, 0, 30;
    s.cell.periodic = {true, true, false};
    return s;
}

Structure sheet_with_vacancy(int nx, int ny, double rattle) {
    Structure s = without_atoms(graphene_sheet(nx, ny), {0});
    Random random(7);
    for (int i = 0; i < s.size(); ++i)
        for (int k = 0; k < 3; ++k) s.positions(k, i) += rattle * units::angstrom * random.normal();
    return s;
}

Structure benzene() {
    Structure s;
    for (int i = 0; i < 6; ++i) {
        const Eigen::Vector3d out(std::cos(M_PI / 3 * i), std::sin(M_PI / 3 * i), 0);
        s.add(6, 1.395 * units::angstrom * out);
        s.add(1, 2.485 * units::angstrom * out);
    }
    return s;
}

std::unique_ptr<ElectronicState> matrices(const Structure& s) {
    SccDftb calculator(builtin());
    Evaluation out;
    calculator.evaluate(s, {.forces = false, .stress = false}, out, Context{});
    return calculator.electronic_state();
}

Electrons neutral(const ElectronicState& m, double kelvin) {
    return {.number = m.basis.neutral_shells().sum(), .kT = kelvin * units::kelvin};
}

double difference(const BlockMatrix& a, const BlockMatrix& b) {
    double worst = 0;
    for (std::size_t k = 0; k < a.values().size(); ++k)
        worst = std::max(worst, std::abs(a.values()[k] - b.values()[k]));
    return worst;
}

}  // namespace stembridge::testing

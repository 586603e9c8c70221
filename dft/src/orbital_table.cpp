// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/orbital_table.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/elements.hpp"

namespace stembridge::dft {
namespace {

/// a and b: the first rows are a b apart, the last ones b times their distance.
constexpr double scale = 0.3, growth = 0.012;
/// Where |u| stays below this (bohr^-1/2) an orbital is zero: the noise of the splines is near 1e-8.
constexpr double smallest_orbital = 1e-7;

/// The distance from which on an orbital is negligible, bohr.
double reach_of(const RadialFunctions& functions, int which) {
    double reach = functions.basis().radius();
    while (reach > 1 && std::abs(functions.value(which, reach - 0.1)) < smallest_orbital) reach -= 0.1;
    return reach;
}

/// R = u / r; at the nucleus u'(0) of an s function, 0 of the others.
double radial_part(const RadialFunctions& functions, int which, int l, double r) {
    std::vector<double> u(static_cast<std::size_t>(functions.count())), slope(u);
    functions.evaluate(r, u.data(), slope.data());
    const auto k = static_cast<std::size_t>(which);
    if (r > 0) return u[k] / r;
    return l == 0 ? slope[k] : 0.0;
}

}  // namespace

tb::OrbitalTable orbital_table(const std::vector<PseudoAtom>& atoms) {
    double end = 1;
    for (const PseudoAtom& atom : atoms)
        for (const auto& [n, l] : atom.valence)
            end = std::max(end, reach_of(atom.wave.orbitals, atom.wave.level(n, l)));
    tb::OrbitalTable table;
    for (int k = 0; table.r.empty() || table.r.back() < end; ++k)
        table.r.push_back(scale * std::expm1(growth * k));
    for (const PseudoAtom& atom : atoms)
        for (const auto& [n, l] : atom.valence) {
            const int which = atom.wave.level(n, l);
            const double reach = reach_of(atom.wave.orbitals, which);
            tb::RadialOrbital orbital{element_symbol(atom.wave.options.atomic_number), n, l, {}};
            for (const double r : table.r)
                orbital.values.push_back(r < reach ? radial_part(atom.wave.orbitals, which, l, r) : 0.0);
            table.orbitals.push_back(std::move(orbital));
        }
    return table;
}

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// Confined atoms of the tests, with the radii of published sets.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stembridge/dft/two_centre.hpp"

namespace stembridge::dft::testing {

inline PseudoAtom pseudo_atom(int z, const std::string& configuration, double wave, double density,
                              std::vector<std::pair<int, int>> valence,
                              Relativity relativity = Relativity::none,
                              std::vector<SlaterFunctions> slater = {}, const RadialGrid& grid = {}) {
    AtomOptions options;
    options.atomic_number = z;
    options.shells = parse_configuration(configuration);
    options.relativity = relativity;
    options.slater = std::move(slater);
    options.grid = grid;
    PseudoAtom result;
    result.valence = std::move(valence);
    options.confinement.assign(4, Confinement::power(wave));
    result.wave = solve_atom(options);
    options.confinement.assign(4, Confinement::power(density));
    result.density = solve_atom(options);
    return result;
}

inline PseudoAtom hydrogen(const RadialGrid& grid = {}) {
    return pseudo_atom(1, "1s1", 3.0, 2.5, {{1, 0}}, Relativity::none, {}, grid);
}
inline PseudoAtom carbon(const RadialGrid& grid = {}) {
    return pseudo_atom(6, "[He] 2s2 2p2", 2.7, 7.0, {{2, 0}, {2, 1}}, Relativity::none, {}, grid);
}
inline PseudoAtom silicon(const RadialGrid& grid = {}) {
    return pseudo_atom(14, "[Ne] 3s2 3p2", 3.3, 6.7, {{3, 0}, {3, 1}}, Relativity::none, {}, grid);
}
inline PseudoAtom chromium(const RadialGrid& grid = {}) {
    return pseudo_atom(24, "[Ar] 3d5 4s1 4p0", 5.0, 14.0, {{4, 0}, {4, 1}, {3, 2}}, Relativity::zora, {},
                       grid);
}

}  // namespace stembridge::dft::testing

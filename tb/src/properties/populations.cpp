// SPDX-License-Identifier: Apache-2.0
// Populations, dipole and frontier levels.
#include <algorithm>
#include <limits>

#include "stembridge/base/errors.hpp"
#include "stembridge/tb/properties.hpp"

namespace stembridge::tb {

Populations populations(const ElectronicState& state) {
    const Basis& basis = state.basis;
    std::vector<Eigen::VectorXd> of_spin;
    for (const BlockMatrix& p : state.density)
        of_spin.push_back(basis.shells_from_orbitals(mulliken_populations(p, state.overlap)));
    Populations result;
    result.shells = of_spin[0];
    if (of_spin.size() == 2) {
        result.shells += of_spin[1];
        result.spins = of_spin[0] - of_spin[1];
    }
    result.charges = basis.atoms_from_shells(basis.neutral_shells() - result.shells);
    return result;
}

Eigen::Vector3d dipole(const ElectronicState& state) {
    if (state.structure.cell.is_periodic())
        throw UnsupportedError(
            "the dipole moment of a periodic structure depends on the choice of the cell; it is given for "
            "clusters only");
    return state.structure.positions * populations(state).charges;
}

Frontier frontier(const Spectrum& spectrum) {
    const double half = 1.0 / static_cast<double>(spectrum.states.size());
    // Degenerate levels that share electrons may miss one half by rounding.
    constexpr double rounding = 1e-9;
    Frontier result;
    result.homo.energy = -std::numeric_limits<double>::infinity();
    result.lumo.energy = std::numeric_limits<double>::infinity();
    for (std::size_t spin = 0; spin < spectrum.states.size(); ++spin)
        for (std::size_t k = 0; k < spectrum.states[spin].size(); ++k) {
            const Eigen::VectorXd& energies = spectrum.states[spin][k].energies;
            for (Eigen::Index n = 0; n < energies.size(); ++n) {
                const double f = spectrum.occupations.f[spin](n, static_cast<Eigen::Index>(k));
                const Level level{energies(n), static_cast<int>(spin), static_cast<int>(k),
                                  static_cast<int>(n)};
                if (f >= half - rounding && level.energy > result.homo.energy) result.homo = level;
                if (f <= half + rounding && level.energy < result.lumo.energy) result.lumo = level;
            }
        }
    if (!std::isfinite(result.homo.energy) || !std::isfinite(result.lumo.energy))
        throw InputError("there is no gap to speak of: all levels of the basis are full, or all are empty");
    result.gap = std::max(0.0, result.lumo.energy - result.homo.energy);
    return result;
}

}  // namespace stembridge::tb

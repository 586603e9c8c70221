// SPDX-License-Identifier: Apache-2.0
#include "stembridge/dft/one_centre.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::dft {
namespace {

constexpr double step = 0.01;  // electrons

/// Weights of f(x + k step) in f'(x), times step.
struct Stencil {
    std::vector<std::pair<int, double>> terms;
};

/// Central where electrons can be added and removed, else one-sided of second order.
Stencil stencil(double occupation, double full) {
    if (occupation < 2 * step) return {{{0, -1.5}, {1, 2.0}, {2, -0.5}}};
    if (occupation > full - 2 * step) return {{{0, 1.5}, {-1, -2.0}, {-2, 0.5}}};
    return {{{-1, -0.5}, {1, 0.5}}};
}

}  // namespace

OneCentre one_centre(const AtomOptions& free_atom, const std::vector<std::pair<int, int>>& valence,
                     const Context& context) {
    AtomOptions options = free_atom;
    options.confinement.clear();
    options.spin_polarized = false;
    options.shells = without_spin(options.shells);
    const Atom atom = solve_atom(options, context);

    OneCentre result;
    result.energy = atom.energy;
    for (const auto& [n, l] : valence) {
        const Level& level = atom.levels[static_cast<std::size_t>(atom.level(n, l))];
        if (level.eigenvalue[0] >= 0)
            throw InputError(
                fmt::format("{}: the shell {} of the free atom is unbound ({:.4f} hartree), so its on-site "
                            "energy depends on "
                            "nothing but the size of the box; leave the shell out",
                            element_symbol(options.atomic_number), shell_name(n, l), level.eigenvalue[0]));
        result.shells.push_back({n, l, level.shell.occupation(), level.eigenvalue[0]});
    }

    const auto count = static_cast<Eigen::Index>(valence.size());
    result.hubbard.setZero(count, count);
    result.spin.setZero(count, count);
    for (Eigen::Index j = 0; j < count; ++j) {
        const auto& [n, l] = valence[static_cast<std::size_t>(j)];
        const auto shell = static_cast<std::size_t>(atom.level(n, l));
        const double half = options.shells[shell].up;

        // U_ij = de_i/dn_j, half of the change in each spin.
        for (const auto& [k, weight] : stencil(2 * half, 2.0 * (2 * l + 1)).terms) {
            AtomOptions changed = options;
            changed.shells[shell].up = changed.shells[shell].down = half + 0.5 * k * step;
            const Atom response = k == 0 ? atom : solve_atom(changed, context);
            for (Eigen::Index i = 0; i < count; ++i) {
                const auto& [ni, li] = valence[static_cast<std::size_t>(i)];
                result.hubbard(i, j) +=
                    weight / step *
                    response.levels[static_cast<std::size_t>(atom.level(ni, li))].eigenvalue[0];
            }
        }
        // W_ij = 1/2 (de_i_up/dn_j_up - de_i_up/dn_j_down); the second equals de_i_down/dn_j_up.
        for (const auto& [k, weight] : stencil(half, 2 * l + 1).terms) {
            AtomOptions changed = options;
            changed.spin_polarized = true;
            changed.shells[shell].up = half + k * step;
            const Atom response = solve_atom(changed, context);
            for (Eigen::Index i = 0; i < count; ++i) {
                const auto& [ni, li] = valence[static_cast<std::size_t>(i)];
                const auto& e = response.levels[static_cast<std::size_t>(atom.level(ni, li))].eigenvalue;
                result.spin(i, j) += 0.5 * weight / step * (e[0] - e[1]);
            }
        }
    }
    result.hubbard = 0.5 * (result.hubbard + result.hubbard.transpose()).eval();
    result.spin = 0.5 * (result.spin + result.spin.transpose()).eval();

    if (options.atomic_number <= 36) {
        std::vector<Shell> ground = ground_state(options.atomic_number);
        AtomOptions polarized = options;
        polarized.spin_polarized = true;
        polarized.shells = ground;
        AtomOptions restricted = options;
        restricted.shells = without_spin(ground);
        const double reference = solve_atom(restricted, context).energy;
        result.spin_polarization = solve_atom(polarized, context).energy - reference;
    }
    return result;
}

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// The Fermi level: from inertia counts where it is unknown, from the poles where it is nearly known.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "density/parallel_tasks.hpp"
#include "density/pole_expansion/check_failed.hpp"
#include "density/pole_expansion/pole_expansion.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {

std::vector<double> PoleExpansionSolver::count_levels(const std::vector<BlockMatrix>& hamiltonian,
                                                      const Group& group,
                                                      const std::vector<double>& energies) {
    const Timer timer;
    const auto n_spins = static_cast<int>(group.last_spin - group.first_spin) + 1;
    const int n_k = at_kpoints() ? kpoints_.size() : 1;
    const int n_tasks = n_spins * n_k * static_cast<int>(energies.size());
    int threads = 0;
    if (at_kpoints()) {
        threads = std::min(n_tasks, bloch_workers());
    } else {
        threads = std::min(n_tasks, workers_that_fit(symbolic_->bytes(sizeof(double))));
        if (threads < omp_get_max_threads()) {
            workers_.clear();
            single_workers_.clear();
        }
        while (static_cast<int>(counters_.size()) < threads)
            counters_.push_back(std::make_unique<Multifrontal<double>>(*symbolic_));
    }
    std::vector<int> count(static_cast<std::size_t>(n_tasks));
    parallel_tasks(n_tasks, threads, [&](int task, int thread) {
        const int k = task % n_k;
        const BlockMatrix& h = hamiltonian[group.first_spin + static_cast<std::size_t>(task / n_k % n_spins)];
        double energy = energies[static_cast<std::size_t>(task / n_k / n_spins)];
        const auto worker = static_cast<std::size_t>(thread);
        // An energy that is an eigenvalue of some part of the matrix gives no count: move a little.
        for (int attempt = 0;; ++attempt) try {
                count[static_cast<std::size_t>(task)] =
                    at_kpoints()
                        ? bloch_workers_[worker]->factorize(h.values().data(), overlap_.values().data(),
                                                            energy, kpoints_.points.col(k), context_.stop)
                        : counters_[worker]->factorize(h.values().data(), overlap_.values().data(), energy,
                                                       context_.stop);
                break;
            } catch (const NumericalError&) {
                if (attempt == 3) throw;
                energy += 1e-9;
            }
    });
    std::vector<double> sums(energies.size(), 0);
    for (int task = 0; task < n_tasks; ++task)
        sums[static_cast<std::size_t>(task / n_k / n_spins)] +=
            (at_kpoints() ? kpoints_.weights(task % n_k) : 1) * count[static_cast<std::size_t>(task)];
    seconds_["eigenvalue counts"] += timer.seconds();
    return sums;
}

FrontierLevels PoleExpansionSolver::look_for_levels(const std::vector<BlockMatrix>& hamiltonian,
                                                    const Group& group, double start) {
    return frontier_levels([&](const std::vector<double>& e) { return count_levels(hamiltonian, group, e); },
                           group.number / (2.0 / electrons_.n_spins), start, std::max(electrons_.kT, 1e-4));
}

void PoleExpansionSolver::guard_window(const std::vector<BlockMatrix>& hamiltonian, const Group& group) {
    constexpr double lowest_of_all = -200 * units::electronvolt;
    while (count_levels(hamiltonian, group, {group.centre + window_below_}).front() > 1e-9) {
        window_below_ *= 1.5;
        if (window_below_ < lowest_of_all) throw CheckFailed("levels more than 200 eV below the Fermi level");
        context_.info(fmt::format(
            "pole expansion: levels below the window, which now begins {:.0f} eV below the Fermi level",
            -window_below_ / units::electronvolt));
    }
}

/// capacity * sum_j 2 Re(w_j kT Tr(S G_j)), G for energies in hartree.
double PoleExpansionSolver::electrons_at(const Group& group, const Eigen::VectorXcd& weights) const {
    double sum = 0;
    for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin)
        sum += (weights.array() * inverses_[spin].with_overlap.array()).sum().real();
    return 2 * capacity() * electrons_.kT * sum;
}

void PoleExpansionSolver::find_fermi_level(const std::vector<BlockMatrix>& hamiltonian, Group& group) {
    // The poles give N(mu) within two kT of the centre; further away they have to be made anew.
    constexpr int most_sets = 12;
    // Moves of the last solve, kT, from which on a far one is expected now, and below which hardly any.
    constexpr double far = 1.5, hardly = 0.25;
    const double before = group.centre, moved_before = group.moved;
    const auto count = [&] {
        const FrontierLevels levels = look_for_levels(hamiltonian, group, group.centre);
        group.centre = levels.middle();
        group.gap = levels.gap();
    };
    bool counted = moved_before > far;
    if (counted) count();
    if (!window_checked_) guard_window(hamiltonian, group);
    bool wide = moved_before > hardly;
    for (int set = 0; set < most_sets; ++set) {
        group.poles = &poles_reaching(wide);
        factorise(hamiltonian, group);
        const double reach = group.poles->window().shift;
        const auto excess = [&](double d) {
            return electrons_at(group, group.poles->fermi_weights(d)) - group.number;
        };
        const double noise = (rough() ? 3e-7 : 1e-8) * group.number;
        const double low = excess(-reach), middle = excess(0), high = excess(reach);
        if (!std::isfinite(low + middle + high)) throw CheckFailed("the number of electrons is not finite");
        if (high < low - (rough() ? 1e-4 : 1e-5) * group.number)
            throw CheckFailed("the number of electrons falls with the Fermi level");
        // In a gap any level will do.
        const bool in_gap = std::abs(middle) <= noise && high - low < 10 * noise;
        if (in_gap || (low <= 0 && high >= 0)) {
            group.shift = in_gap ? 0 : rising_root(excess, -reach, reach);
            group.moved = std::abs(group.centre - before) / electrons_.kT + std::abs(group.shift);
            return;
        }
        context_.debug(fmt::format("pole expansion: Fermi level off by more than {:g} kT", reach));
        if (!wide) {
            wide = true;
        } else if (counted) {
            group.centre += (low > 0 ? -1.8 : 1.8) * reach * electrons_.kT;
        } else {
            count();
            counted = true;
        }
    }
    throw CheckFailed("the Fermi level was not found");
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Factorisations and selected inverses at the poles: in which precision, by how many workers, and their
// check.
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
namespace {

using Complex = std::complex<double>;

/// Tr(A G) of values on one pattern, A real.
Complex trace_with(const BlockMatrix& a, const std::vector<Complex>& g) {
    Complex trace = 0;
    for (const Block& b : a.pattern().blocks()) {
        const auto n = static_cast<std::size_t>(a.block(b).size());
        Complex sum = 0;
        for (std::size_t k = b.offset; k < b.offset + n; ++k) sum += a.values()[k] * g[k];
        trace += b.on_site() ? sum : 2.0 * sum;
    }
    return trace;
}

}  // namespace

/// Poles far from the axis have well-conditioned matrices: those whose rounding errors together stay below
/// what is accepted.
std::vector<bool> PoleExpansionSolver::in_single_precision(const PoleExpansion& poles) const {
    const std::size_t n = poles.poles().size();
    if (rough()) return std::vector<bool>(n, true);
    // |dP| = 4 |w| |dG| and, to first order, |dG| = eps |A| |G|^2 with |G| one over the distance from the
    // levels. Measured errors of the largest element are 0.1 to 2 times that.
    constexpr double epsilon = 6e-8, norm = 50 * units::electronvolt,
                     lowest_level = -19 * units::electronvolt;
    // The error of the electron number, measured as 0.2 sqrt(n) of it, goes to the states at the Fermi level.
    // The estimate is that much above the errors measured: charges stay within 0.6 of what is accepted.
    const double n_orbitals = pattern_->basis().n_orbitals();
    const double accepted = 1.3 * accuracy_ / (1 + 0.02 * std::sqrt(n_orbitals));
    const double reach = poles.window().shift, kT = electrons_.kT;
    Eigen::VectorXd weights = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(n));
    for (const double part : {-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0})
        weights = weights.cwiseMax(poles.fermi_weights(part * reach).cwiseAbs());
    std::vector<std::pair<double, std::size_t>> errors;
    for (std::size_t j = 0; j < n; ++j) {
        const Complex z = poles.poles()[j];
        const double below = std::max(0.0, lowest_level / kT - z.real());
        errors.emplace_back(4 * weights(static_cast<Eigen::Index>(j)) * epsilon * (norm / kT + std::abs(z)) /
                                (z.imag() * z.imag() + below * below),
                            j);
    }
    std::sort(errors.begin(), errors.end());
    std::vector<bool> single(n, false);
    double sum = 0;
    for (const auto& [error, j] : errors) {
        sum += error * error;
        if (sum > accepted * accepted) break;
        single[j] = true;
    }
    return single;
}

int PoleExpansionSolver::workers_that_fit(std::size_t bytes_each) const {
    std::size_t n_poles = 24;
    for (const auto& [key, poles] : poles_) n_poles = std::max(n_poles, poles.poles().size());
    const double kept =
        made_elsewhere()
            ? 0
            : static_cast<double>(n_poles * static_cast<std::size_t>(std::max(1, electrons_.n_spins)) *
                                  pattern_->n_values() * sizeof(Complex));
    const double each = static_cast<double>(bytes_each);
    if (kept + each > memory_limit_)
        throw InputError(fmt::format(
            "the pole expansion of {} orbitals needs {:.0f} MiB, more than the memory limit "
            "of {:.0f} MiB: raise calculator.memory_limit",
            pattern_->basis().n_orbitals(), std::ceil((kept + each) / 1048576), memory_limit_ / 1048576));
    return std::clamp(static_cast<int>((memory_limit_ - kept) / each), 1, omp_get_max_threads());
}

int PoleExpansionSolver::bloch_workers() {
    const auto threads = static_cast<std::size_t>(workers_that_fit(BlochMultifrontal::bytes(*symbolic_)));
    while (bloch_workers_.size() < threads)
        bloch_workers_.push_back(std::make_unique<BlochMultifrontal>(*symbolic_, *pattern_));
    return static_cast<int>(threads);
}

template <typename Real>
void PoleExpansionSolver::invert_at(Multifrontal<std::complex<Real>>& worker, std::size_t spin,
                                    std::size_t pole, const BlockMatrix& hamiltonian, const Group& group) {
    constexpr bool single = std::is_same_v<Real, float>;
    std::vector<Complex>& g = inverses_[spin].g[pole];
    g.resize(pattern_->n_values());
    const Complex z = group.centre + electrons_.kT * group.poles->poles()[pole];
    worker.factorize(hamiltonian.values().data(), overlap_.values().data(), std::complex<Real>(z),
                     context_.stop);
    worker.selected_inverse(g.data(), context_.stop);
    keep(spin, pole, z, single ? 1e-2 : 1e-7, hamiltonian, single);
}

/// Traces of an inverse, and whether it is one.
/// @param allowed largest error of Tr[(H - z S) G] / n
void PoleExpansionSolver::keep(std::size_t spin, std::size_t pole, Complex z, double allowed,
                               const BlockMatrix& hamiltonian, bool single) {
    std::vector<Complex>& g = inverses_[spin].g[pole];
    Complex& s = inverses_[spin].with_overlap(static_cast<Eigen::Index>(pole));
    Complex& h = inverses_[spin].with_hamiltonian(static_cast<Eigen::Index>(pole));
    s = trace_with(overlap_, g);
    h = trace_with(hamiltonian, g);
    check_inverse(spin, pole, z, allowed);
    if (!single) return;
    // Rounding errors of single precision are mostly a common factor.
    const Complex factor = static_cast<double>(pattern_->basis().n_orbitals()) / (h - z * s);
    for (Complex& value : g) value *= factor;
    s *= factor;
    h *= factor;
}

void PoleExpansionSolver::factorise_at_kpoints(const std::vector<BlockMatrix>& hamiltonian,
                                               const Group& group) {
    const auto n_poles = static_cast<int>(group.poles->poles().size());
    const int n_tasks = static_cast<int>(group.last_spin - group.first_spin + 1) * n_poles;
    parallel_tasks(n_tasks, std::min(n_tasks, bloch_workers()), [&](int task, int thread) {
        const std::size_t spin = group.first_spin + static_cast<std::size_t>(task / n_poles);
        const auto j = static_cast<std::size_t>(task % n_poles);
        std::vector<Complex>& g = inverses_[spin].g[j];
        g.assign(pattern_->n_values(), 0);
        const Complex z = group.centre + electrons_.kT * group.poles->poles()[j];
        BlochMultifrontal& worker = *bloch_workers_[static_cast<std::size_t>(thread)];
        for (int k = 0; k < kpoints_.size(); ++k) {
            worker.factorize(hamiltonian[spin].values().data(), overlap_.values().data(), z,
                             kpoints_.points.col(k), context_.stop);
            worker.add_selected_inverse(kpoints_.weights(k), g.data(), context_.stop);
        }
        keep(spin, j, z, 1e-7, hamiltonian[spin], false);
    });
}

void PoleExpansionSolver::factorise(const std::vector<BlockMatrix>& hamiltonian, const Group& group) {
    const Timer timer;
    const auto n_poles = group.poles->poles().size();
    for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) {
        if (!made_elsewhere()) inverses_[spin].g.resize(n_poles);
        inverses_[spin].with_overlap.resize(static_cast<Eigen::Index>(n_poles));
        inverses_[spin].with_hamiltonian.resize(static_cast<Eigen::Index>(n_poles));
    }
    if (at_kpoints() || made_elsewhere()) {
        if (made_elsewhere())
            factorise_elsewhere(hamiltonian, group);
        else
            factorise_at_kpoints(hamiltonian, group);
        seconds_["factorisation"] += timer.seconds();
        return;
    }
    const std::vector<bool> single = in_single_precision(*group.poles);
    // The long ones first, so that the threads end together.
    struct Job {
        std::size_t spin, pole;
        bool single;
    };
    std::vector<Job> jobs;
    for (const bool in_single : {false, true})
        for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin)
            for (std::size_t j = 0; j < n_poles; ++j)
                if (single[j] == in_single) jobs.push_back({spin, j, in_single});
    const bool any_double = !jobs.front().single, any_single = jobs.back().single;
    const std::size_t for_singles = any_single ? symbolic_->bytes(sizeof(std::complex<float>)) : 0,
                      for_doubles = any_double ? symbolic_->bytes(sizeof(Complex)) : 0;
    counters_.clear();
    const auto threads =
        std::min(jobs.size(), static_cast<std::size_t>(workers_that_fit(for_singles + for_doubles)));
    const auto make = [&](auto& workers, bool any) {
        using Worker = typename std::decay_t<decltype(workers)>::value_type::element_type;
        workers.resize(any ? std::min(workers.size(), threads) : 0);
        while (any && workers.size() < threads) workers.push_back(std::make_unique<Worker>(*symbolic_));
    };
    make(workers_, any_double);
    make(single_workers_, any_single);
    parallel_tasks(static_cast<int>(jobs.size()), static_cast<int>(threads), [&](int k, int thread) {
        const Job& job = jobs[static_cast<std::size_t>(k)];
        const auto worker = static_cast<std::size_t>(thread);
        if (job.single)
            invert_at(*single_workers_[worker], job.spin, job.pole, hamiltonian[job.spin], group);
        else
            invert_at(*workers_[worker], job.spin, job.pole, hamiltonian[job.spin], group);
    });
    seconds_["factorisation"] += timer.seconds();
}

void PoleExpansionSolver::factorise_elsewhere(const std::vector<BlockMatrix>& hamiltonian,
                                              const Group& group) {
    std::vector<Complex> z;
    for (const Complex& pole : group.poles->poles()) z.push_back(group.centre + electrons_.kT * pole);
    for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) {
        Inverses& inverses = inverses_[spin];
        elsewhere_->invert(spin, hamiltonian[spin], z, rough(), context_.stop, inverses.with_overlap,
                           inverses.with_hamiltonian);
        for (std::size_t j = 0; j < z.size(); ++j) check_inverse(spin, j, z[j], rough() ? 1e-2 : 1e-7);
    }
}

/// Tr[(H - z S) G] is the number of orbitals. @param allowed largest error, per orbital
void PoleExpansionSolver::check_inverse(std::size_t spin, std::size_t pole, Complex z, double allowed) const {
    const double n = pattern_->basis().n_orbitals();
    const Inverses& inverses = inverses_[spin];
    const auto j = static_cast<Eigen::Index>(pole);
    const double error = std::abs(inverses.with_hamiltonian(j) - z * inverses.with_overlap(j) - n) / n;
    if (!(error < allowed))
        throw CheckFailed(fmt::format("pole {}: the inverse is off by {:.1e}", pole + 1, error));
}

}  // namespace stembridge::tb

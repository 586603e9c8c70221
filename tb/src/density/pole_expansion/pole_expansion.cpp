// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/pole_expansion.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "density/dense/dense_gamma.hpp"
#include "density/dense/dense_kpoints.hpp"
#include "density/overlap_error.hpp"
#include "density/pole_expansion/check_failed.hpp"
#include "density/pole_expansion/near_response.hpp"
#include "stembridge/base/available_memory.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {

using Complex = std::complex<double>;

// Window of the expansion about the Fermi level, hartree. Sheets squeezed to bonds of 1 angstrom have levels
// up to 160 eV; errors above the window are small, those below are not, so that the lower end is checked.
constexpr double window_below = -25 * units::electronvolt, window_above = 200 * units::electronvolt;
// Errors of populations from which on all poles may be in single precision, which gives them to about 3e-5,
// and from which on fewer poles will do.
constexpr double rough_enough = 1e-5, middling = 3e-6, usual = 3e-7;
constexpr double coldest = 20 * units::kelvin;

/// Of -df/de at another temperature kT. @param r kT of the poles over this one  @param d shift of the Fermi
/// level, kT of the poles
Eigen::VectorXcd slope_weights(const PoleExpansion& poles, double r, double d, double kT) {
    return poles.weights([&](double x) {
        const double p = fermi_function(r * (x - d));
        return p * (1 - p) / kT;
    });
}

}  // namespace

PoleExpansionSolver::PoleExpansionSolver(bool only_gamma, bool choose, double memory_limit,
                                         std::unique_ptr<PoleInverses> elsewhere,
                                         std::function<std::unique_ptr<DensitySolver>()> make_dense)
    : only_gamma_(only_gamma),
      choose_(choose),
      memory_limit_(memory_limit > 0 ? memory_limit : 0.75 * available_memory()),
      window_below_(window_below),
      elsewhere_(std::move(elsewhere)),
      make_dense_(std::move(make_dense)) {}

std::string PoleExpansionSolver::name() const {
    return !dense_did_last_ ? "pole-expansion" : dense_ ? dense_->name() : "dense";
}

void PoleExpansionSolver::set_context(const Context& context) {
    context_ = context;
    if (dense_) dense_->set_context(context);
}

void PoleExpansionSolver::set_accuracy(double populations) {
    accuracy_ = populations;
    if (dense_) dense_->set_accuracy(populations);
}

void PoleExpansionSolver::use_dense(const std::string& reason, bool warn) {
    const std::string note = "density matrix by diagonalisation: " + reason;
    if (warn)
        context_.warning(note);
    else if (small_)
        context_.debug(note);
    else if (last_choice_ != "dense")
        context_.info(note);
    last_choice_ = "dense";
    dense_did_last_ = true;
}

DensitySolver& PoleExpansionSolver::dense() {
    if (!dense_) {
        if (make_dense_)
            dense_ = make_dense_();
        else if (only_gamma_)
            dense_ = std::make_unique<DenseGammaSolver>();
        else
            dense_ = std::make_unique<DenseKPointSolver>();
        dense_->set_context(context_);
        dense_->analyze(*pattern_, kpoints_);
        dense_has_overlap_ = false;
    }
    if (!dense_has_overlap_ && !overlap_.values().empty()) {
        dense_->set_overlap(overlap_);
        dense_has_overlap_ = true;
    }
    return *dense_;
}

void PoleExpansionSolver::analyze(const BlockPattern& pattern, const KPoints& kpoints) {
    const Timer timer;
    // The workers for k-points know the blocks of the pattern itself.
    bloch_workers_.clear();
    pattern_ = &pattern;
    kpoints_ = kpoints;
    overlap_ = BlockMatrix();
    dense_.reset();
    const Basis& basis = pattern.basis();
    std::vector<std::array<int, 3>> pairs;
    pairs.reserve(pattern.blocks().size());
    for (const Block& b : pattern.blocks())
        pairs.push_back({b.i, b.j, 100 * basis.n_orbitals(b.i) + basis.n_orbitals(b.j)});
    pairs.push_back({kpoints_.size(), at_kpoints() ? 1 : 0, 0});
    if (pairs == analyzed_) return;
    analyzed_ = std::move(pairs);
    dense_reason_.clear();
    symbolic_.reset();
    workers_.clear();
    single_workers_.clear();
    counters_.clear();
    bloch_workers_.clear();
    // Below this size no ordering can make the expansion faster.
    constexpr int too_small = 400;
    const int n = basis.n_orbitals();
    small_ = n < too_small;
    if (choose_ && small_) {
        dense_reason_ = fmt::format("{} orbitals are few", n);
    } else {
        symbolic_ = std::make_unique<Symbolic>(pattern);
        if (choose_) {
            // Measured on one core of 90 GF/s and with several threads; only the ratio counts.
            const double threads = omp_get_max_threads();
            const double n_k = kpoints_.size(), each = at_kpoints() ? 2 * n_k : 0.7;
            const double poles = 22 * each * symbolic_->work * 8 / 70e9 / std::min(threads, 22.0) + 0.02;
            const double diagonalisation =
                (at_kpoints() ? 4 * n_k : 1) * 1.6e-10 * std::pow(n, 3) / std::pow(threads, 0.6);
            const std::string estimate = fmt::format(
                "{} atoms, {} orbitals: an estimated {:.2g} s by poles, {:.2g} s by diagonalisation",
                basis.n_atoms(), n, poles, diagonalisation);
            if (diagonalisation < poles)
                dense_reason_ = estimate;
            else if (last_choice_ != "poles")
                context_.info("density matrix by pole expansion: " + estimate);
            if (dense_reason_.empty()) last_choice_ = "poles";
        }
        if (made_elsewhere()) elsewhere_->analyze(pattern, *symbolic_);
    }
    seconds_["analysis"] += timer.seconds();
}

void PoleExpansionSolver::set_overlap(const BlockMatrix& overlap) {
    overlap_ = overlap;
    dense_has_overlap_ = false;
    window_checked_ = false;
    if (!dense_reason_.empty()) {
        dense();
        return;
    }
    // S is positive definite exactly when no pivot of its factorisation is negative.
    const Timer timer;
    if (made_elsewhere()) elsewhere_->set_overlap(overlap_);
    int negative = 0;
    try {
        if (at_kpoints()) {
            bloch_workers();
            for (int k = 0; k < kpoints_.size(); ++k)
                negative += bloch_workers_.front()->factorize(nullptr, overlap_.values().data(), -1.0,
                                                              kpoints_.points.col(k), context_.stop);
        } else if (workers_that_fit(symbolic_->bytes(sizeof(double))) > 0) {
            if (counters_.empty()) counters_.push_back(std::make_unique<Multifrontal<double>>(*symbolic_));
            negative = counters_.front()->factorize(nullptr, overlap_.values().data(), -1.0, context_.stop);
        }
    } catch (const NumericalError&) {
        negative = 1;
    }
    if (negative > 0) throw NumericalError(overlap_error(*pattern_));
    seconds_["overlap"] += timer.seconds();
}

void PoleExpansionSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                                Density& out) {
    electrons_ = electrons;
    const double most = 2.0 * pattern_->basis().n_orbitals();
    const double unpaired = electrons.n_spins == 2 ? std::abs(electrons.unpaired.value_or(0)) : 0;
    std::string reason = dense_reason_;
    bool warn = !choose_ && last_choice_ != "dense";  // once, when it is not what was asked for
    if (reason.empty() && electrons.filling != Filling::fermi)
        reason = "poles are for the Fermi filling only";
    else if (reason.empty() && electrons.kT < coldest)
        reason =
            fmt::format("poles need an electronic temperature of {:.0f} K or more", coldest / units::kelvin);
    else if (reason.empty() &&
             (electrons.number - unpaired < 0.5 || electrons.number + unpaired > most - 0.5))
        reason = "all levels are empty or all are full";
    if (reason.empty()) {
        try {
            expand(hamiltonian, electrons, out);
            // Per atom, as measured, up to a fortieth of what the populations of its orbitals may be off.
            out.energy_error = 0.03 * std::max(accuracy_, usual) * pattern_->basis().n_atoms();
            dense_did_last_ = false;
            dense_.reset();
            return;
        } catch (const CheckFailed& failure) {
            reason = fmt::format("the pole expansion failed ({})", failure.what());
        } catch (const NumericalError& failure) {
            reason = fmt::format("the pole expansion failed ({})", failure.what());
        }
        warn = true;
        const double n = pattern_->basis().n_orbitals();
        // The limit is of this machine's memory, not of a device that diagonalises.
        if (!make_dense_ && 5 * n * n * sizeof(double) > memory_limit_)
            throw NumericalError(fmt::format(
                "{}, and a diagonalisation needs {:.0f} MiB, more than the memory limit of {:.0f} MiB",
                reason, 5 * n * n * sizeof(double) / 1048576, memory_limit_ / 1048576));
        inverses_.clear();
        of_orbitals_ = 0;
    }
    use_dense(reason, warn);
    dense().solve(hamiltonian, electrons, out);
    out.energy_error = 0;
}

bool PoleExpansionSolver::rough() const {
    return accuracy_ >= rough_enough;
}

const PoleExpansion& PoleExpansionSolver::poles_reaching(bool far) {
    const double kT = electrons_.kT;
    if (poles_kT_ != kT || poles_below_ != window_below_) {
        poles_.clear();
        poles_kT_ = kT;
        poles_below_ = window_below_;
    }
    // Errors of f at 300 K: 2e-7, 4e-7, 1e-6 and 1e-5, and 7e-8, 3e-7, 2e-6 and 9e-6 when the Fermi level is
    // nearly known. Warmer steps need fewer poles.
    constexpr std::array<int, 4> reaching_far = {24, 22, 20, 16}, near = {20, 17, 16, 14};
    constexpr std::array<double, 4> good = {1e-7, 3e-7, 2e-6, 1e-5};
    const std::size_t level = rough() ? 3 : accuracy_ >= middling ? 2 : accuracy_ >= usual ? 1 : 0;
    const double kelvin = kT / units::kelvin;
    const int n = (far ? reaching_far : near)[level] + (kelvin < 200    ? 4
                                                        : kelvin < 700  ? 0
                                                        : kelvin < 2500 ? -2
                                                                        : -4);
    if (const auto known = poles_.find({far, n}); known != poles_.end()) return known->second;
    const Timer timer;
    const PoleExpansion& poles =
        poles_
            .emplace(std::pair(far, n),
                     PoleExpansion({window_below_ / kT, window_above / kT, far ? 2.0 : 0.5}, n, good[level]))
            .first->second;
    context_.debug(
        fmt::format("{} poles, largest error {:.1e}", poles.poles().size(), poles.largest_error()));
    if (!(poles.largest_error() < 1e-4))
        throw CheckFailed(fmt::format("no poles for this temperature: error {:.1e}", poles.largest_error()));
    seconds_["poles"] += timer.seconds();
    return poles;
}

void PoleExpansionSolver::expand(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                                 Density& out) {
    const std::size_t n_spins = hamiltonian.size();
    const bool fixed = n_spins == 2 && electrons.unpaired.has_value();
    const std::size_t n_groups = fixed ? 2 : 1;
    const double kT_before = poles_kT_;
    // The Fermi level stays a good start while atoms only move.
    const int n_orbitals = pattern_->basis().n_orbitals();
    const bool first_time =
        groups_.size() != n_groups || of_orbitals_ != n_orbitals || of_spins_ != static_cast<int>(n_spins);
    if (first_time) groups_.assign(n_groups, {});
    inverses_.resize(n_spins);
    of_orbitals_ = n_orbitals;
    of_spins_ = static_cast<int>(n_spins);
    for (std::size_t k = 0; k < n_groups; ++k) {
        Group& group = groups_[k];
        group.first_spin = k;
        group.last_spin = fixed ? k : n_spins - 1;
        group.number =
            !fixed ? electrons.number : (electrons.number + (k == 0 ? 1 : -1) * *electrons.unpaired) / 2;
        group.centre += group.shift * kT_before;
        group.shift = 0;
        if (!first_time) continue;
        // Somewhere among the levels of the free atoms.
        const Basis& basis = pattern_->basis();
        double start = 0;
        for (int i = 0; i < basis.n_atoms(); ++i)
            start += basis.element(i).onsite[static_cast<std::size_t>(basis.element(i).n_shells > 1 ? 1 : 0)];
        group.centre = start / basis.n_atoms();
    }
    const double kT = electrons.kT;
    out.fermi_levels.assign(n_spins, 0);
    out.matrices.resize(n_spins);
    out.eigenvalues.clear();
    out.band_energy = out.ts = 0;
    out.ts_share_at_zero = 0.5;
    out.gap = std::numeric_limits<double>::infinity();
    for (Group& group : groups_) {
        find_fermi_level(hamiltonian, group);
        const Timer timer;
        const Eigen::VectorXcd f = group.poles->fermi_weights(group.shift);
        const Eigen::VectorXcd e = group.poles->energy_weights(group.shift);
        out.ts += kT * electrons_at(group, group.poles->entropy_weights(group.shift));
        const double mu = group.centre + group.shift * kT;
        double band = 0;
        for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) {
            out.fermi_levels[spin] = mu;
            out.matrices[spin] = BlockMatrix(*pattern_);
            add_sum(spin, f, out.matrices[spin]);
            band += trace_of_product(out.matrices[spin], hamiltonian[spin]);
        }
        out.band_energy += band;
        out.gap = std::min(out.gap, group.gap);
        // Tr(P H) and Tr(W S) are the same number by different weights.
        const double by_weights = kT * electrons_at(group, e) + mu * electrons_at(group, f);
        const double allowed =
            (rough() ? 1e-2 : std::max(5e-7, 10 * accuracy_)) * pattern_->basis().n_orbitals();
        if (!(std::abs(by_weights - band) < allowed))
            throw CheckFailed(fmt::format("Tr(P H) and Tr(W S) differ by {:.1e} hartree", by_weights - band));
        seconds_["density"] += timer.seconds();
    }
    window_checked_ = true;
}

/// P += capacity * sum_j 2 Re(w_j kT G_j).
void PoleExpansionSolver::add_sum(std::size_t spin, const Eigen::VectorXcd& weights, BlockMatrix& out) const {
    const auto& g = inverses_[spin].g;
    const double factor = 2 * capacity() * electrons_.kT;
    if (made_elsewhere()) return elsewhere_->add_sum(spin, factor * weights, out);
    const auto n = static_cast<std::int64_t>(pattern_->n_values());
    constexpr std::int64_t chunk = 4096;
#pragma omp parallel for schedule(static)
    for (std::int64_t begin = 0; begin < n; begin += chunk)
        for (std::size_t j = 0; j < g.size(); ++j) {
            const Complex w = factor * weights(static_cast<Eigen::Index>(j));
            const Complex* values = g[j].data();
            double* sum = out.values().data();
            for (std::int64_t k = begin; k < std::min(n, begin + chunk); ++k)
                sum[k] += w.real() * values[k].real() - w.imag() * values[k].imag();
        }
}

void PoleExpansionSolver::energy_weighted(BlockMatrix& out) {
    if (dense_did_last_) return dense().energy_weighted(out);
    const Timer timer;
    out = BlockMatrix(*pattern_);
    for (const Group& group : groups_) {
        // W = sum of e f(e): kT (x - d) f(x - d) + mu f(x - d)
        const double mu = group.centre + group.shift * electrons_.kT;
        const Eigen::VectorXcd w = electrons_.kT * group.poles->energy_weights(group.shift) +
                                   mu * group.poles->fermi_weights(group.shift);
        for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) add_sum(spin, w, out);
    }
    seconds_["density"] += timer.seconds();
}

/// d of the warm Fermi function in units of the cold one, f(r (x - d)) with r = kT of the solve / kT, that
/// holds the electrons of the group.
double PoleExpansionSolver::warm_shift(const Group& group, double kT) const {
    const double r = electrons_.kT / kT;
    const auto excess = [&](double d) {
        return electrons_at(group,
                            group.poles->weights([&](double x) { return fermi_function(r * (x - d)); })) -
               group.number;
    };
    return rising_root(excess, -2 / r, 2 / r);
}

void PoleExpansionSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    if (dense_did_last_) return dense().states_at_fermi_level(kT, out);
    const Timer timer;
    out = BlockMatrix(*pattern_);
    const double r = electrons_.kT / kT;
    for (const Group& group : groups_) {
        const Eigen::VectorXcd w = slope_weights(*group.poles, r, warm_shift(group, kT), kT);
        for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) add_sum(spin, w, out);
    }
    seconds_["density"] += timer.seconds();
}

std::vector<NearResponse> PoleExpansionSolver::near_response(double kT) {
    if (dense_did_last_ || at_kpoints()) return {};
    const Timer timer;
    // Some four bonds.
    constexpr double range = 10;
    const double r = electrons_.kT / kT;
    std::vector<NearResponse> result(inverses_.size());
    for (const Group& group : groups_) {
        const double d = warm_shift(group, kT);
        const Eigen::VectorXcd w = capacity() * electrons_.kT * group.poles->weights([&](double x) {
            return fermi_function(r * (x - d));
        });
        const Eigen::VectorXcd slope = slope_weights(*group.poles, r, d, kT);
        for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) {
            std::vector<std::vector<Complex>> fetched;
            if (made_elsewhere()) fetched = elsewhere_->fetch(spin);
            BlockMatrix states(*pattern_);
            add_sum(spin, slope, states);
            result[spin] = {
                tb::near_response(overlap_, made_elsewhere() ? fetched : inverses_[spin].g, w, range),
                pattern_->basis().shells_from_orbitals(mulliken_populations(states, overlap_))};
        }
    }
    seconds_["response"] += timer.seconds();
    return result;
}

std::vector<NearStates> PoleExpansionSolver::states_near_fermi_level(double half_width) const {
    return dense_did_last_ && dense_ ? dense_->states_near_fermi_level(half_width)
                                     : std::vector<NearStates>();
}

State PoleExpansionSolver::save() const {
    State state;
    if (groups_.empty()) return state;
    Eigen::MatrixXd groups(4, groups_.size());
    for (std::size_t k = 0; k < groups_.size(); ++k)
        groups.col(static_cast<Eigen::Index>(k)) << groups_[k].centre, groups_[k].shift, groups_[k].moved,
            groups_[k].gap;
    state.put("pole_groups", groups);
    state.put("poles_of", std::vector<std::int64_t>{of_orbitals_, of_spins_});
    state.put("poles_kT", poles_kT_);
    state.put("window_below", window_below_);
    return state;
}

void PoleExpansionSolver::restore(const State& state) {
    groups_.clear();
    poles_.clear();
    of_orbitals_ = of_spins_ = 0;
    poles_kT_ = 0;
    window_below_ = window_below;
    if (!state.has("pole_groups")) return;
    const Eigen::MatrixXd groups = state.matrix("pole_groups", 4);
    const auto& of = state.get<std::vector<std::int64_t>>("poles_of");
    if (of.size() != 2) throw FileError("checkpoint entry 'poles_of' has the wrong size");
    for (const auto& column : groups.colwise()) {
        Group& group = groups_.emplace_back();
        group.centre = column(0);
        group.shift = column(1);
        group.moved = column(2);
        group.gap = column(3);
    }
    of_orbitals_ = static_cast<int>(of[0]);
    of_spins_ = static_cast<int>(of[1]);
    poles_kT_ = state.number("poles_kT");
    window_below_ = state.number("window_below");
}

const std::map<std::string, double>& PoleExpansionSolver::seconds() const {
    all_seconds_ = seconds_;
    if (dense_)
        for (const auto& [part, time] : dense_->seconds()) all_seconds_[part] += time;
    return all_seconds_;
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/pole_expansion.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>

#include "density/dense/dense_gamma.hpp"
#include "density/dense/dense_kpoints.hpp"
#include "density/overlap_error.hpp"
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

/// A step that gave numbers that cannot be right.
class CheckFailed final : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One thread for each BLAS call until the end of the scope: the tasks around them are what runs in parallel.
/// The OpenMP variant of OpenBLAS does so by itself, the other one would start threads within threads.
class SerialBlas {
  public:
    SerialBlas() : before_(openblas_get_parallel() == OPENBLAS_THREAD ? openblas_get_num_threads() : 0) {
        if (before_ > 0) openblas_set_num_threads(1);
    }
    ~SerialBlas() {
        if (before_ > 0) openblas_set_num_threads(before_);
    }
    SerialBlas(const SerialBlas&) = delete;
    SerialBlas& operator=(const SerialBlas&) = delete;

  private:
    int before_;
};

/// Runs tasks side by side; the first exception ends the rest and is thrown again.
template <typename Task>
void parallel_tasks(int n_tasks, int n_threads, const Task& task) {
    const SerialBlas serial;
    std::exception_ptr failure;
    bool stop = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_threads)
    for (int k = 0; k < n_tasks; ++k) {
        bool skip = false;
#pragma omp atomic read
        skip = stop;
        if (skip) continue;
        try {
            task(k, omp_get_thread_num());
        } catch (...) {
#pragma omp critical(stembridge_pole_failure)
            if (!failure) failure = std::current_exception();
#pragma omp atomic write
            stop = true;
        }
    }
    if (failure) std::rethrow_exception(failure);
}

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

double free_memory() {
    return static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

PoleExpansionSolver::PoleExpansionSolver(bool only_gamma, bool choose, double memory_limit,
                                         std::unique_ptr<PoleInverses> elsewhere,
                                         std::function<std::unique_ptr<DensitySolver>()> make_dense)
    : only_gamma_(only_gamma),
      choose_(choose),
      memory_limit_(memory_limit > 0 ? memory_limit : 0.75 * free_memory()),
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
    // The Fermi level stays a good start while atoms only move.
    if (basis.n_orbitals() != n_orbitals_) inverses_.clear();
    n_orbitals_ = basis.n_orbitals();
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
        if (5 * n * n * sizeof(double) > memory_limit_)
            throw NumericalError(fmt::format(
                "{}, and a diagonalisation needs {:.0f} MiB, more than the memory limit of {:.0f} MiB",
                reason, 5 * n * n * sizeof(double) / 1048576, memory_limit_ / 1048576));
        inverses_.clear();
    }
    use_dense(reason, warn);
    dense().solve(hamiltonian, electrons, out);
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
    // Errors of f at 300 K: 3e-8, 6e-8, 6e-7 and 1e-5, and 1e-7, 1e-7, 2e-6 and 9e-6 when the Fermi level is
    // nearly known. Warmer steps need fewer poles.
    constexpr std::array<int, 4> reaching_far = {24, 22, 20, 16}, near = {20, 20, 16, 14};
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
                     PoleExpansion({window_below_ / kT, window_above / kT, far ? 2.0 : 0.5}, n))
            .first->second;
    context_.debug(
        fmt::format("{} poles, largest error {:.1e}", poles.poles().size(), poles.largest_error()));
    if (!(poles.largest_error() < 1e-4))
        throw CheckFailed(fmt::format("no poles for this temperature: error {:.1e}", poles.largest_error()));
    seconds_["poles"] += timer.seconds();
    return poles;
}

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
    const double n_orbitals = pattern_->basis().n_orbitals();
    const double accepted = accuracy_ / (1 + 0.02 * std::sqrt(n_orbitals));
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

template <typename Real>
void PoleExpansionSolver::factorise_in(
    std::vector<std::unique_ptr<Multifrontal<std::complex<Real>>>>& workers,
    const std::vector<std::size_t>& poles, const std::vector<BlockMatrix>& hamiltonian, const Group& group) {
    const auto n_poles = static_cast<int>(poles.size());
    const int n_tasks = static_cast<int>(group.last_spin - group.first_spin + 1) * n_poles;
    const int threads = std::min(n_tasks, static_cast<int>(workers.size()));
    constexpr bool single = std::is_same_v<Real, float>;
    parallel_tasks(n_tasks, threads, [&](int k, int thread) {
        const std::size_t spin = group.first_spin + static_cast<std::size_t>(k / n_poles);
        const std::size_t j = poles[static_cast<std::size_t>(k % n_poles)];
        std::vector<Complex>& g = inverses_[spin].g[j];
        g.resize(pattern_->n_values());
        const Complex z = group.centre + electrons_.kT * group.poles->poles()[j];
        Multifrontal<std::complex<Real>>& worker = *workers[static_cast<std::size_t>(thread)];
        worker.factorize(hamiltonian[spin].values().data(), overlap_.values().data(), std::complex<Real>(z),
                         context_.stop);
        worker.selected_inverse(g.data(), context_.stop);
        keep(spin, j, z, single ? 1e-2 : 1e-7, hamiltonian[spin], single);
    });
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
    std::vector<std::size_t> single_poles, double_poles;
    for (std::size_t j = 0; j < n_poles; ++j) (single[j] ? single_poles : double_poles).push_back(j);
    const std::size_t in_single = symbolic_->bytes(sizeof(std::complex<float>)),
                      in_double = symbolic_->bytes(sizeof(Complex));
    counters_.clear();
    if (double_poles.empty()) workers_.clear();
    if (single_poles.empty()) single_workers_.clear();
    const auto threads = static_cast<std::size_t>(
        workers_that_fit((single_poles.empty() ? 0 : in_single) + (double_poles.empty() ? 0 : in_double)));
    const auto make = [&](auto& workers, const auto& poles) {
        using Worker = typename std::decay_t<decltype(workers)>::value_type::element_type;
        workers.resize(std::min(workers.size(), threads));
        while (!poles.empty() && workers.size() < threads)
            workers.push_back(std::make_unique<Worker>(*symbolic_));
    };
    make(workers_, double_poles);
    make(single_workers_, single_poles);
    factorise_in(workers_, double_poles, hamiltonian, group);
    factorise_in(single_workers_, single_poles, hamiltonian, group);
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

void PoleExpansionSolver::expand(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                                 Density& out) {
    const std::size_t n_spins = hamiltonian.size();
    const bool fixed = n_spins == 2 && electrons.unpaired.has_value();
    const std::size_t n_groups = fixed ? 2 : 1;
    const double kT_before = poles_kT_;
    const bool first_time = groups_.size() != n_groups || inverses_.size() != n_spins;
    if (first_time) {
        groups_.assign(n_groups, {});
        inverses_.assign(n_spins, {});
    }
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

void PoleExpansionSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    if (dense_did_last_) return dense().states_at_fermi_level(kT, out);
    const Timer timer;
    out = BlockMatrix(*pattern_);
    // The warm Fermi function in units of the cold one: p(x) = f(r (x - d)).
    const double r = electrons_.kT / kT;
    for (const Group& group : groups_) {
        const auto excess = [&](double d) {
            return electrons_at(group,
                                group.poles->weights([&](double x) { return fermi_function(r * (x - d)); })) -
                   group.number;
        };
        const double d = rising_root(excess, -2 / r, 2 / r);
        const Eigen::VectorXcd w = group.poles->weights([&](double x) {
            const double p = fermi_function(r * (x - d));
            return p * (1 - p) / kT;
        });
        for (std::size_t spin = group.first_spin; spin <= group.last_spin; ++spin) add_sum(spin, w, out);
    }
    seconds_["density"] += timer.seconds();
}

std::vector<NearStates> PoleExpansionSolver::states_near_fermi_level(double half_width) const {
    return dense_did_last_ && dense_ ? dense_->states_near_fermi_level(half_width)
                                     : std::vector<NearStates>();
}

const std::map<std::string, double>& PoleExpansionSolver::seconds() const {
    all_seconds_ = seconds_;
    if (dense_)
        for (const auto& [part, time] : dense_->seconds()) all_seconds_[part] += time;
    return all_seconds_;
}

}  // namespace stembridge::tb

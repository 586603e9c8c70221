// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/purification_solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {

// Single precision gives populations to about 3e-5; it is used where errors from here on are accepted.
constexpr double rough_enough = 1e-5;
// Further than this, in kT, a shift loses digits of T: the recursion starts anew.
constexpr double far = 4;

/// Halvings from the hot start.
int halvings(double width, double start) {
    return std::max(0, static_cast<int>(std::ceil(std::log2(width / start))));
}

}  // namespace

const double PurificationSolver::coldest = 20 * units::kelvin;

bool PurificationSolver::takes(const Electrons& electrons, int n_orbitals) {
    const double most = 2.0 * n_orbitals;
    const double unpaired = electrons.n_spins == 2 ? std::abs(electrons.unpaired.value_or(0)) : 0;
    return electrons.filling == Filling::fermi && electrons.kT >= coldest &&
           electrons.number - unpaired >= 0.5 && electrons.number + unpaired <= most - 0.5;
}

double PurificationSolver::bytes(int n, int n_spins) {
    // L, the result, four to work with; A and T of each spin; the same without L in single precision for the
    // response.
    return ((6.0 + 2 * n_spins) * sizeof(double) + (4.0 + 2 * n_spins) * sizeof(float)) * n * n;
}

double PurificationSolver::work(int n, double width) {
    // A product of symmetric factors n^3, a Cholesky factor and two solves 7/3 n^3; the start eight more.
    return (halvings(width, FermiRecursion<double>::largest_start) * 10.0 / 3 + 8) * std::pow(n, 3);
}

void PurificationSolver::analyze(const BlockPattern& pattern, const KPoints&) {
    pattern_ = &pattern;
    const int before = matrices_.n();
    matrices_.analyze(pattern);
    if (before == matrices_.n()) return;
    work_.clear();
    rough_work_.clear();
    exact_a_.clear();
    result_ = {};
}

void PurificationSolver::set_overlap(const BlockMatrix& overlap) {
    const Timer timer;
    matrices_.set_overlap(overlap);
    seconds_["overlap"] += timer.seconds();
}

template <typename Real>
void PurificationSolver::Work<Real>::resize(Device& device, int n, std::size_t n_spins) {
    if (fermi.size() == n_spins) return;
    clear();
    const std::size_t size = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    scratch.resize(device, size);
    for (std::size_t s = 0; s < n_spins; ++s)
        fermi.push_back(std::make_unique<FermiRecursion<Real>>(device, n, scratch));
}

std::vector<PurificationSolver::Group> PurificationSolver::groups(const Electrons& electrons) const {
    const std::size_t n_spins = exact_a_.size();
    if (n_spins == 2 && electrons.unpaired)
        return {{0, 0, (electrons.number + *electrons.unpaired) / 2},
                {1, 1, (electrons.number - *electrons.unpaired) / 2}};
    return {{0, n_spins - 1, electrons.number}};
}

void PurificationSolver::solve(const std::vector<BlockMatrix>& hamiltonian, const Electrons& electrons,
                               Density& out) {
    if (!takes(electrons, matrices_.n()))
        throw UnsupportedError(
            fmt::format("purification is for the Fermi filling above {:.0f} K, with levels to fill",
                        coldest / units::kelvin));
    const Timer timer;
    const std::size_t n_spins = hamiltonian.size();
    electrons_ = electrons;
    steps_ = 0;
    if (exact_a_.size() != n_spins) {
        exact_a_.clear();
        exact_a_.resize(n_spins);
    }
    if (fermi_levels_.size() != n_spins || of_orbitals_ != matrices_.n()) fermi_levels_.clear();
    ranges_.clear();
    for (std::size_t s = 0; s < n_spins; ++s) {
        exact_a_[s].resize(device_, matrices_.n_elements());
        matrices_.orthogonalize(hamiltonian[s], exact_a_[s]);
        ranges_.push_back(spectral_range(device_, matrices_.n(), exact_a_[s]));
    }
    result_.resize(device_, matrices_.n_elements());
    rough_ = accuracy_ >= rough_enough;
    out.matrices.resize(n_spins);
    out.fermi_levels.assign(n_spins, 0);
    out.eigenvalues.clear();
    out.band_energy = out.ts = out.gap = 0;
    out.ts_share_at_zero = 0.5;
    seconds_["orthogonalisation"] += timer.seconds();
    if (rough_)
        fill(rough_work_, electrons, out);
    else
        fill(work_, electrons, out);
    fermi_levels_ = out.fermi_levels;
    of_orbitals_ = matrices_.n();
    context_.debug(
        fmt::format("purification in {} precision, {} steps", rough_ ? "single" : "double", steps_));
}

State PurificationSolver::save() const {
    State state;
    if (fermi_levels_.empty()) return state;
    state.put("purified_levels", fermi_levels_);
    state.put("purified_orbitals", std::int64_t{of_orbitals_});
    return state;
}

void PurificationSolver::restore(const State& state) {
    const bool known = state.has("purified_levels");
    fermi_levels_ = known ? state.get<std::vector<double>>("purified_levels") : std::vector<double>();
    of_orbitals_ = known ? static_cast<int>(state.integer("purified_orbitals")) : 0;
}

template <typename Real>
void PurificationSolver::load(Work<Real>& work, std::size_t n_spins) {
    work.resize(device_, matrices_.n(), n_spins);
    work.a.resize(n_spins);
    for (std::size_t s = 0; s < n_spins; ++s) {
        work.a[s].resize(device_, matrices_.n_elements());
        device_.dense(Real()).from_double(matrices_.n_elements(), exact_a_[s].data(), work.a[s].data());
    }
}

template <typename Real>
void PurificationSolver::fill(Work<Real>& work, const Electrons& electrons, Density& out) {
    Timer timer;
    load(work, exact_a_.size());
    for (const Group& group : groups(electrons)) find_fermi_level(work, group, electrons.kT);
    device_.synchronize();
    seconds_["purification"] += timer.seconds();
    timer.restart();
    for (std::size_t s = 0; s < exact_a_.size(); ++s) {
        const FermiRecursion<Real>& fermi = *work.fermi[s];
        out.fermi_levels[s] = fermi.mu();
        out.band_energy += capacity() * fermi.energy(work.a[s]);
        out.ts += capacity() * electrons.kT * std::max(0.0, fermi.entropy(work.a[s]));
        out.matrices[s] = BlockMatrix(*pattern_);
        add_density(work, s, out.matrices[s]);
    }
    if (!std::isfinite(out.band_energy + out.ts))
        throw NumericalError("purification: the energy is not a finite number");
    seconds_["density"] += timer.seconds();
}

template <typename Real>
double PurificationSolver::electrons_of(const Work<Real>& work, const Group& group) const {
    double sum = 0;
    for (std::size_t s = group.first_spin; s <= group.last_spin; ++s)
        sum += capacity() * work.fermi[s]->electrons();
    return sum;
}

template <typename Real>
void PurificationSolver::cool(Work<Real>& work, const Group& group, double mu, double kT, bool settled) {
    double width = 0;
    for (std::size_t s = group.first_spin; s <= group.last_spin; ++s)
        width = std::max({width, ranges_[s].highest - mu, mu - ranges_[s].lowest});
    const int n = halvings(width / kT, FermiRecursion<Real>::largest_start);
    for (std::size_t s = group.first_spin; s <= group.last_spin; ++s)
        work.fermi[s]->begin(work.a[s], mu, std::ldexp(kT, n));
    for (int k = 0; k < n; ++k) {
        if (context_.stop_requested()) throw StoppedError("density matrix: stopped during purification");
        if (settled) settle(work, group, 0, 2);
        for (std::size_t s = group.first_spin; s <= group.last_spin; ++s) work.fermi[s]->halve_temperature();
        ++steps_;
    }
}

template <typename Real>
double PurificationSolver::settle(Work<Real>& work, const Group& group, double tolerance, int most) {
    constexpr double longest = 1.5;
    double moved = 0;
    for (int k = 0; k < most; ++k) {
        const double missing = group.number - electrons_of(work, group);
        if (std::abs(missing) <= tolerance) break;
        double slope = 0;
        for (std::size_t s = group.first_spin; s <= group.last_spin; ++s)
            slope += capacity() * std::max(0.0, work.fermi[s]->slope());
        // Newton's step; where hardly any level is near, as far as a shift may go.
        const double step = slope > 0 ? missing / slope : std::copysign(longest, missing);
        const double d = std::clamp(step, -longest, longest);
        for (std::size_t s = group.first_spin; s <= group.last_spin; ++s) work.fermi[s]->shift(d);
        moved += d;
        ++steps_;
        if (std::abs(moved) > far) break;
    }
    return moved;
}

template <typename Real>
void PurificationSolver::find_fermi_level(Work<Real>& work, const Group& group, double kT) {
    constexpr int most_starts = 6, most_moves = 12;
    const bool single = sizeof(Real) == sizeof(float);
    const double tolerance = (single ? 2e-6 : 1e-11) * std::max(1.0, group.number);
    bool known = !fermi_levels_.empty();
    double mu = known ? fermi_levels_[group.first_spin]
                      : 0.5 * (ranges_[group.first_spin].lowest + ranges_[group.first_spin].highest);
    for (int start = 0; start < most_starts; ++start) {
        if (!known) {
            // The Fermi level found at a high temperature, where it is easy, is followed to a low one.
            cool(work, group, mu, kT, true);
            settle(work, group, tolerance, most_moves);
            mu = work.fermi[group.first_spin]->mu();
        }
        cool(work, group, mu, kT, false);
        const double moved = settle(work, group, tolerance, most_moves);
        const double missing = std::abs(group.number - electrons_of(work, group));
        if (!std::isfinite(missing))
            throw NumericalError("purification: the number of electrons is not finite");
        // A little more than the tolerance is what rounding may leave.
        if (std::abs(moved) <= far && missing <= 100 * tolerance) return;
        // Known from another geometry or charge, but not near: look from the hot side next time.
        known = start == 0 && std::abs(moved) <= 2 * far && missing < 1;
        mu = work.fermi[group.first_spin]->mu();
    }
    throw NumericalError("purification: no Fermi level gives the number of electrons");
}

template <typename Real>
void PurificationSolver::add_density(Work<Real>& work, std::size_t spin, BlockMatrix& out) {
    // P = L^-T (1 - T) / 2 L^-1
    DenseOperations<double>& on = device_.dense(0.0);
    device_.dense(Real()).to_double(matrices_.n_elements(), work.fermi[spin]->tanh().data(), result_.data());
    on.combine(result_.size(), -0.5 * capacity(), result_.data(), 0, result_.data());
    on.add_to_diagonal(matrices_.n(), 0.5 * capacity(), result_.data());
    matrices_.to_orbitals(result_);
    matrices_.add_elements(result_, out);
}

template <typename Real>
void PurificationSolver::add_energy_weighted(Work<Real>& work, std::size_t spin, BlockMatrix& out) {
    // W = L^-T A (1 - T) / 2 L^-1
    DenseOperations<Real>& on = device_.dense(Real());
    const int n = matrices_.n();
    Real* product = work.scratch.product.data();
    on.combine(result_.size(), 1, work.a[spin].data(), 0, product);
    on.multiply(false, false, n, n, n, -0.5 * capacity(), work.a[spin].data(), n,
                work.fermi[spin]->tanh().data(), n, 0.5 * capacity(), product, n);
    on.symmetrize(n, product);
    on.to_double(result_.size(), product, result_.data());
    matrices_.to_orbitals(result_);
    matrices_.add_elements(result_, out);
}

void PurificationSolver::energy_weighted(BlockMatrix& out) {
    const Timer timer;
    out = BlockMatrix(*pattern_);
    for (std::size_t s = 0; s < exact_a_.size(); ++s) {
        if (rough_)
            add_energy_weighted(rough_work_, s, out);
        else
            add_energy_weighted(work_, s, out);
    }
    seconds_["density"] += timer.seconds();
}

void PurificationSolver::states_at_fermi_level(double kT, BlockMatrix& out) {
    // -df/de = (1 - T^2) / 4 kT at the higher temperature; single precision will do for a response. The rough
    // matrices of the last solve, if they are there, are made anew by the next one.
    const Timer timer;
    out = BlockMatrix(*pattern_);
    Work<float> work;
    Work<float>& use = rough_ ? work : rough_work_;
    load(use, exact_a_.size());
    DenseOperations<double>& on = device_.dense(0.0);
    for (const Group& group : groups(electrons_)) {
        cool(use, group, fermi_levels_[group.first_spin], kT, false);
        settle(use, group, 1e-4 * group.number, 6);
        for (std::size_t s = group.first_spin; s <= group.last_spin; ++s) {
            device_.dense(0.0f).to_double(result_.size(), use.fermi[s]->square().data(), result_.data());
            const double factor = capacity() / (4 * kT);
            on.combine(result_.size(), -factor, result_.data(), 0, result_.data());
            on.add_to_diagonal(matrices_.n(), factor, result_.data());
            matrices_.to_orbitals(result_);
            matrices_.add_elements(result_, out);
        }
    }
    seconds_["response"] += timer.seconds();
}

}  // namespace stembridge::tb

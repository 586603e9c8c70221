// SPDX-License-Identifier: Apache-2.0
// The calculation as a whole: tables, terms, self-consistency, energy, forces.
#include "stembridge/tb/scc_dftb.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <set>

#include "dispersion/dispersion_term.hpp"
#include "dispersion/tkatchenko_scheffler.hpp"
#include "engine.hpp"
#include "hamiltonian/add_potential.hpp"
#include "scc/charge_algebra.hpp"
#include "scc/diagnosis.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "terms/external_term.hpp"
#include "terms/repulsive_term.hpp"
#include "terms/spin_constants.hpp"
#include "terms/third_order_term.hpp"

namespace stembridge::tb {
namespace {

constexpr double least_volume = 1e-6;  // bohr^3: a cell of less has no stress

/// Uses a number of OpenMP threads (0 = leave it) until the end of the scope.
class ThreadScope {
  public:
    explicit ThreadScope(int threads) : before_(omp_get_max_threads()) {
        if (threads > 0) omp_set_num_threads(threads);
    }
    ~ThreadScope() { omp_set_num_threads(before_); }
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;

  private:
    int before_;
};

}  // namespace

void SccDftb::Engine::load(const Structure& structure) {
    const std::set<int> distinct(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    const std::vector<int> elements(distinct.begin(), distinct.end());
    if (parameters_ && elements == loaded_) return;
    // Nothing of the calculator changes before all files are read: a file that is missing leaves it as it
    // was.
    auto parameters =
        std::make_unique<Parameters>(options_.parameters, elements, options_.max_angular_momentum);
    std::vector<std::unique_ptr<EnergyTerm>> terms;
    terms.push_back(std::make_unique<RepulsiveTerm>(*parameters));
    CoulombTerm* coulomb = nullptr;
    if (options_.scc.enabled) {
        auto term = std::make_unique<CoulombTerm>(options_.third_order.damping_exponent);
        coulomb = term.get();
        terms.push_back(std::move(term));
    }
    SpinTerm* spin = nullptr;
    if (options_.spin.polarized) {
        std::map<int, Eigen::MatrixXd> constants = options_.spin.constants;
        constants.merge(read_spin_constants(options_.parameters));
        auto term = std::make_unique<SpinTerm>(std::move(constants));
        spin = term.get();
        terms.push_back(std::move(term));
    }
    if (options_.third_order.mode != ThirdOrder::none)
        terms.push_back(std::make_unique<ThirdOrderTerm>(options_.third_order));
    if (has_external()) terms.push_back(std::make_unique<ExternalTerm>(options_.external));
    if (options_.dispersion == Dispersion::lennard_jones)
        terms.push_back(std::make_unique<DispersionTerm>(make_lennard_jones()));
    if (options_.dispersion == Dispersion::slater_kirkwood)
        terms.push_back(std::make_unique<DispersionTerm>(make_slater_kirkwood(bonded_neighbors_)));
    if (options_.dispersion == Dispersion::tkatchenko_scheffler)
        terms.push_back(std::make_unique<TkatchenkoScheffler>(options_.ts_scaling));

    parameters_ = std::move(parameters);
    loaded_ = elements;
    own_terms_ = std::move(terms);
    coulomb_ = coulomb;
    spin_ = spin;
    terms_.clear();
    for (const auto* list : {&own_terms_, &added_terms_})
        for (const auto& term : *list) terms_.push_back(term.get());
}

void SccDftb::Engine::add_term(std::unique_ptr<EnergyTerm> term) {
    static const std::set<std::string> built_in = {"repulsive", "coulomb",    "spin",       "third_order",
                                                   "external",  "dispersion", "electronic", "h0",
                                                   "band",      "entropy"};
    bool taken = built_in.count(term->name()) != 0;
    for (const auto& other : added_terms_) taken = taken || other->name() == term->name();
    if (taken) throw InputError(fmt::format("there is already an energy term \"{}\"", term->name()));
    if (parameters_) terms_.push_back(term.get());
    added_terms_.push_back(std::move(term));
}

void SccDftb::Engine::evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                               const Context& context) {
    if (structure.size() == 0) throw InputError("the structure has no atoms");
    structure.validate();
    if (wanted.stress && structure.cell.volume() < least_volume)
        throw InputError("stress is wanted but the structure has no cell");
    if (wanted.stress && has_external())
        throw UnsupportedError("stress with external point charges or a field is not available");
    last_.reset();
    goal_ = goal_for(wanted);
    load(structure);
    if (!history_.is_of(structure)) forget();

    Timer timer;
    Geometry g(structure, *parameters_, options_.scc.shell_resolved);
    // Threads cost more than they bring below this size.
    constexpr int too_small = 64;
    const ThreadScope threads(g.basis.n_orbitals() < too_small ? 1 : options_.threads);
    parameters_->hamiltonian_and_overlap(g.pattern, g.h0, g.overlap);
    seconds_["hamiltonian"] += timer.seconds();
    timer.restart();
    for (EnergyTerm* term : terms_) term->update(structure, g.basis, g.sites);
    seconds_["terms"] += timer.seconds();
    kpoints_ = options_.kpoints.points.empty()
                   ? kpoint_grid(options_.kpoints.divisions, options_.kpoints.gamma_centered, structure.cell)
                   : kpoint_list(options_.kpoints.points, structure.cell);
    solver_->set_context(context);
    solver_->analyze(g.pattern, kpoints_);
    solver_->set_overlap(g.overlap);

    Electrons electrons{.number = g.basis.neutral_shells().sum() - options_.charge,
                        .kT = std::max(options_.electronic_temperature, raised_kT_),
                        .filling = options_.filling,
                        .n_spins = n_spins(),
                        .unpaired = options_.spin.unpaired};
    const Eigen::SparseMatrix<double> bonds =
        options_.scc.enabled ? bond_response(structure, g.sites) : Eigen::SparseMatrix<double>();
    Cycle cycle;
    cycle.in = starting_charges(g);
    const std::optional<Sought> sought = seek_spins(g, bonds, electrons, cycle.in, context);
    const auto converged = [&] {
        Solution solution = converge(g, bonds, electrons, cycle, context);
        if (solution.converged && options_.scc.cycles_per_step > 0)
            lagrangian_.add_converged(structure, joined(cycle.out));
        return solution;
    };
    std::optional<Solution> solution = follow(g, bonds, electrons, cycle, context);
    if (!solution) solution = converged();
    fill_energy(g, cycle, solution->linearized, out);
    constexpr double least_gain = 1e-5;  // hartree; the energies of dynamics are linearised
    if (sought && sought->energy < out.energy - least_gain) {
        cycle.in = sought->charges;
        solution = converged();
        fill_energy(g, cycle, solution->linearized, out);
    }
    if (electrons.kT > options_.electronic_temperature) raised_kT_ = electrons.kT;

    out.iterations = static_cast<int>(solution->errors.size());
    out.converged = solution->converged;
    out.electronic_temperature = electrons.kT;
    out.fallback = raised_kT_ > 0 ? "electronic-temperature" : solution->in_window ? "window-response" : "";
    fill_forces(g, cycle, solution->linearized, wanted, out);
    history_.add(structure, solution->best, solution->converged);
    solver_state_ = solver_->save();
    last_ = {structure, electrons, {}, cycle.potential.on_site};
    for (int spin = 0; spin < n_spins(); ++spin)
        last_->potential.push_back(orbital_potential(g, cycle.potential, spin));
    for (const auto& [part, seconds] : solver_->seconds()) seconds_[part] = seconds;
    if (!solution->converged)
        throw ConvergenceError("SCC", out.iterations, cycle.error, goal_.charge,
                               diagnose(g.basis, g.sites, cycle.in, cycle.out, solution->errors, density_.gap,
                                        electrons.kT, options_.electronic_temperature));
}

std::unique_ptr<ElectronicState> SccDftb::Engine::electronic_state() const {
    if (!last_) throw std::logic_error("SccDftb::electronic_state: nothing was evaluated yet");
    auto state = std::make_unique<ElectronicState>(
        last_->structure, parameters_->elements(),
        [&](int a, int b) { return parameters_->two_centre(a, b).range(); });
    BlockMatrix h0(state->pattern);
    parameters_->hamiltonian_and_overlap(state->pattern, h0, state->overlap);
    for (std::size_t spin = 0; spin < last_->potential.size(); ++spin) {
        add_potential(state->hamiltonian.emplace_back(h0), state->overlap, last_->potential[spin]);
        add_on_site_potential(state->hamiltonian.back(), last_->on_site_potential);
        // The pattern depends on the structure alone, so the values have the same places.
        state->density.emplace_back(state->pattern).values() = density_.matrices[spin].values();
    }
    state->fermi_levels = density_.fermi_levels;
    state->electrons = last_->electrons;
    state->kpoints = kpoints_;
    state->divisions =
        options_.kpoints.points.empty() ? options_.kpoints.divisions : common_divisions(kpoints_);
    return state;
}

State SccDftb::Engine::save() const {
    State state = history_.save();
    state.put_all("lagrangian", lagrangian_.save());
    state.put_all("bonded_neighbors", bonded_neighbors_.save());
    state.put_all("solver", solver_state_);
    if (raised_kT_ > 0) state.put("raised_electronic_temperature", raised_kT_);
    if (spins_sought_at_.size() > 0)
        state.put("spins_sought_at", std::vector<double>(spins_sought_at_.reshaped().begin(),
                                                         spins_sought_at_.reshaped().end()));
    return state;
}

void SccDftb::Engine::restore(const State& state) {
    history_.restore(state);
    lagrangian_.restore(state.part("lagrangian"));
    bonded_neighbors_.restore(state.part("bonded_neighbors"));
    solver_state_ = state.part("solver");
    solver_->restore(solver_state_);
    raised_kT_ =
        state.has("raised_electronic_temperature") ? state.number("raised_electronic_temperature") : 0;
    spins_sought_at_.resize(3, 0);
    if (state.has("spins_sought_at")) {
        const auto& positions = state.get<std::vector<double>>("spins_sought_at");
        spins_sought_at_ = Eigen::Map<const Eigen::Matrix3Xd>(
            positions.data(), 3, static_cast<Eigen::Index>(positions.size()) / 3);
    }
}

std::string SccDftb::Engine::description() const {
    std::string sets;
    for (const auto& folder : options_.parameters) {
        const auto normal = folder.lexically_normal();
        const auto name = normal.has_filename() ? normal.filename() : normal.parent_path().filename();
        sets += (sets.empty() ? "" : " + ") + name.string();
    }
    std::string text = fmt::format("{}, {}, {:.0f} K", options_.scc.enabled ? "SCC-DFTB" : "DFTB", sets,
                                   options_.electronic_temperature / units::kelvin);
    const auto& [a, b, c] = options_.kpoints.divisions;
    if (!options_.kpoints.points.empty())
        text += fmt::format(", {} k-points of a list", options_.kpoints.points.size());
    else if (a * b * c > 1)
        text += fmt::format(", {} x {} x {} k-points{}", a, b, c,
                            options_.kpoints.gamma_centered ? " (Gamma-centred)" : "");
    if (options_.scc.shell_resolved) text += ", shell-resolved";
    if (options_.charge != 0) text += fmt::format(", charge {:+g}", options_.charge);
    if (options_.spin.polarized) text += ", spin-polarised";
    if (options_.third_order.mode != ThirdOrder::none) text += ", third order";
    if (options_.dispersion != Dispersion::none) text += ", dispersion";
    return text;
}

SccDftb::SccDftb(SccDftbOptions options) : engine_(std::make_unique<Engine>(std::move(options))) {}
SccDftb::~SccDftb() = default;
SccDftb::SccDftb(SccDftb&&) noexcept = default;
SccDftb& SccDftb::operator=(SccDftb&&) noexcept = default;

void SccDftb::evaluate(const Structure& structure, Wanted wanted, Evaluation& out, const Context& context) {
    engine_->evaluate(structure, wanted, out, context);
}

Wanted SccDftb::offers(const Structure& structure) const {
    const bool has_cell = structure.cell.is_periodic() && structure.cell.volume() >= least_volume;
    return {.forces = true, .stress = has_cell && !engine_->has_external()};
}

std::string SccDftb::description() const {
    return engine_->description();
}
void SccDftb::forget() {
    engine_->forget();
}
State SccDftb::save() const {
    return engine_->save();
}
void SccDftb::restore(const State& state) {
    engine_->restore(state);
}
void SccDftb::add_term(std::unique_ptr<EnergyTerm> term) {
    engine_->add_term(std::move(term));
}
const SccDftbOptions& SccDftb::options() const {
    return engine_->options_;
}
const std::map<std::string, double>& SccDftb::seconds() const {
    return engine_->seconds_;
}
const std::vector<Eigen::MatrixXd>& SccDftb::eigenvalues() const {
    return engine_->density_.eigenvalues;
}
const Eigen::VectorXd& SccDftb::kpoint_weights() const {
    return engine_->kpoints_.weights;
}
std::unique_ptr<ElectronicState> SccDftb::electronic_state() const {
    return engine_->electronic_state();
}

std::unique_ptr<Calculator> make_scc_dftb(const SccDftbOptions& options) {
    return std::make_unique<SccDftb>(options);
}

}  // namespace stembridge::tb

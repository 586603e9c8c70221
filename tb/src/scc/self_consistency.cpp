// SPDX-License-Identifier: Apache-2.0
// The charges of a geometry: from a start to self-consistency, or following the atoms in dynamics.
#include <fmt/format.h>

#include <algorithm>

#include "engine.hpp"
#include "hamiltonian/add_potential.hpp"
#include "scc/charge_algebra.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::tb {

namespace {

/// Brings what a mixer made of a far guess back to what atoms can hold: no charge and no spin is larger than
/// the electrons that the shells take. Mulliken populations may go a little below nothing or above full, so
/// this is wide.
void clamp_to_possible(const Basis& basis, const Sites& sites, Charges& q) {
    Eigen::VectorXd most = Eigen::VectorXd::Zero(sites.size());
    for (int shell = 0; shell < basis.n_shells(); ++shell) {
        const int l = shell - basis.first_shell(basis.atom_of_shell(shell));
        const double room = 2.0 * (2 * l + 1);
        most(sites.site_of_shell[static_cast<std::size_t>(shell)]) += room;
        if (q.spin.size() > 0) q.spin(shell) = std::clamp(q.spin(shell), -room, room);
    }
    q.electrons = q.electrons.cwiseMax(-most).cwiseMin(most);
}

/// Bonds pair electrons but for some that may find an order: unpaired ones of an atom in the beginning.
constexpr double paired = 0.5;

/// Number of bonds of every atom.
std::vector<int> bonds_of(const Structure& structure, const BlockPattern& pattern) {
    constexpr double reach = 1.2;  // of the sum of covalent radii
    std::vector<int> bonds(static_cast<std::size_t>(structure.size()), 0);
    for (const Block& b : pattern.blocks()) {
        const auto i = static_cast<std::size_t>(b.i), j = static_cast<std::size_t>(b.j);
        if (b.on_site() || b.distance > reach * (covalent_radius(structure.atomic_numbers[i]) +
                                                 covalent_radius(structure.atomic_numbers[j])))
            continue;
        ++bonds[i];
        ++bonds[j];
    }
    return bonds;
}

/// Traces of the on-site blocks, (atoms).
Eigen::VectorXd on_site_populations(const std::vector<BlockMatrix>& density) {
    const BlockPattern& pattern = density.front().pattern();
    Eigen::VectorXd n = Eigen::VectorXd::Zero(pattern.basis().n_atoms());
    for (const BlockMatrix& p : density)
        for (const Block& b : pattern.blocks())
            if (b.on_site()) n(b.i) += p.block(b).trace();
    return n;
}

}  // namespace

Charges SccDftb::Engine::starting_charges(const Geometry& g) const {
    Charges q;
    const Eigen::Index n_spin = options_.spin.polarized ? g.basis.n_shells() : 0;
    if (const auto guess = history_.predict(g.structure, options_.scc.predict);
        guess && guess->electrons.size() == g.sites.size() && guess->spin.size() == n_spin &&
        guess->on_site.size() == (needs_on_site() ? g.basis.n_atoms() : 0))
        return *guess;
    // Neutral atoms with the charge spread evenly.
    q.electrons = Eigen::VectorXd::Constant(g.sites.size(), -options_.charge / g.sites.size());
    if (needs_on_site()) q.on_site = g.basis.atoms_from_shells(g.basis.neutral_shells());
    if (options_.spin.polarized) q.spin = starting_spins(g);
    return q;
}

Eigen::VectorXd SccDftb::Engine::starting_spins(const Geometry& g) const {
    // Of free atoms.
    Eigen::VectorXd spin(g.basis.n_shells());
    for (int s = 0; s < g.basis.n_shells(); ++s) {
        const int l = s - g.basis.first_shell(g.basis.atom_of_shell(s));
        const double f = g.basis.neutral_shells()(s);
        spin(s) = std::min(f, 2.0 * (2 * l + 1) - f);
    }
    const Eigen::VectorXd& wanted = options_.spin.initial_moments;
    if (wanted.size() > 0) {
        if (wanted.size() != g.basis.n_atoms())
            throw InputError(fmt::format("spin.initial_moments are those of {} atoms, the structure has {}",
                                         wanted.size(), g.basis.n_atoms()));
        const Eigen::VectorXd most = g.basis.atoms_from_shells(spin);
        for (int s = 0; s < g.basis.n_shells(); ++s) {
            const int atom = g.basis.atom_of_shell(s);
            if (std::abs(wanted(atom)) > most(atom) + 1e-9)
                throw InputError(fmt::format(
                    "spin.initial_moments: atom {} ({}) cannot have {} unpaired electrons, at most {}",
                    atom + 1, element_symbol(g.structure.atomic_numbers[static_cast<std::size_t>(atom)]),
                    wanted(atom), most(atom)));
            spin(s) *= most(atom) > 0 ? wanted(atom) / most(atom) : 0;
        }
        return spin;
    }
    // d electrons keep their spins.
    const std::vector<int> bonds = bonds_of(g.structure, g.pattern);
    for (int s = 0; s < g.basis.n_shells(); ++s) {
        const int atom = g.basis.atom_of_shell(s);
        const auto i = static_cast<std::size_t>(atom);
        const int usual = g.structure.atomic_numbers[i] == 1 ? 1 : 3;  // bonds that leave nothing dangling
        if (g.basis.element(atom).n_shells < 3)
            spin(s) = std::min(spin(s), std::max<double>(paired, usual - bonds[i]));
    }
    if (options_.spin.unpaired && spin.sum() > 0) spin *= *options_.spin.unpaired / spin.sum();
    return spin;
}

bool SccDftb::Engine::bonds_have_stretched(const Geometry& g) {
    // Beyond what vibrations do: of bonds, and of pairs that may have been bonds; all else is no bond.
    constexpr double bonded = 1.3, may_have_been = 2.5;  // of the sum of covalent radii
    constexpr double stretch_of_bond = 0.3 * units::angstrom, stretch = 0.6 * units::angstrom;
    const Structure& now = g.structure;
    const Eigen::Matrix3Xd& last = spins_sought_at_;
    if (last.cols() != now.positions.cols()) {
        spins_sought_at_ = now.positions;
        return false;
    }
    for (const Block& b : g.pattern.blocks()) {
        if (b.on_site()) continue;
        // The image is that of the present positions.
        const Eigen::Vector3d moved =
            (now.positions.col(b.j) - last.col(b.j)) - (now.positions.col(b.i) - last.col(b.i));
        const double before = (b.r - moved).norm();
        const double radii = covalent_radius(now.atomic_numbers[static_cast<std::size_t>(b.i)]) +
                             covalent_radius(now.atomic_numbers[static_cast<std::size_t>(b.j)]);
        if (before > may_have_been * radii ||
            b.distance - before < (before < bonded * radii ? stretch_of_bond : stretch))
            continue;
        spins_sought_at_ = now.positions;
        return true;
    }
    return false;
}

std::optional<SccDftb::Engine::Sought> SccDftb::Engine::seek_spins(const Geometry& g,
                                                                   const Eigen::SparseMatrix<double>& bonds,
                                                                   const Electrons& electrons,
                                                                   const Charges& predicted,
                                                                   const Context& context) {
    if (!options_.spin.polarized || !bonds_have_stretched(g)) return std::nullopt;
    constexpr double no_spin = 1e-3, another_order = 0.02;
    const Eigen::VectorXd start = starting_spins(g);
    const Eigen::VectorXd here = g.basis.atoms_from_shells(predicted.spin),
                          there = g.basis.atoms_from_shells(start);
    const bool none_anywhere = predicted.spin.cwiseAbs().maxCoeff() < no_spin;
    Cycle cycle{.in = predicted, .out = {}, .potential = {}};
    bool any = false;
    for (int s = 0; s < g.basis.n_shells(); ++s) {
        const int atom = g.basis.atom_of_shell(s);
        const bool bonds_missing = std::abs(there(atom)) > 1.01 * paired * g.basis.element(atom).n_shells;
        if (std::abs(here(atom)) > no_spin || start(s) == 0 || !(none_anywhere || bonds_missing)) continue;
        cycle.in.spin(s) = start(s);
        any = true;
    }
    if (!any) return std::nullopt;
    Context quiet;  // what becomes of a try concerns nobody
    quiet.stop = context.stop;
    Electrons tried = electrons;
    const Solution solution = converge(g, bonds, tried, cycle, quiet);
    if (!solution.converged || tried.kT != electrons.kT ||
        (cycle.out.spin - predicted.spin).cwiseAbs().maxCoeff() < another_order)
        return std::nullopt;
    Evaluation energy;
    fill_energy(g, cycle, solution.linearized, energy);
    return Sought{solution.best, energy.energy};
}

Charges SccDftb::Engine::potential_of(const Geometry& g, const Charges& q) const {
    Charges v{Eigen::VectorXd::Zero(g.sites.size()), Eigen::VectorXd::Zero(q.spin.size()),
              Eigen::VectorXd::Zero(q.on_site.size())};
    for (EnergyTerm* term : terms_) term->add_potential(q, v);
    return v;
}

Eigen::VectorXd SccDftb::Engine::orbital_potential(const Geometry& g, const Charges& v, int spin) const {
    Eigen::VectorXd result(g.basis.n_orbitals());
    for (int mu = 0; mu < g.basis.n_orbitals(); ++mu) {
        const int shell = g.basis.shell_of_orbital(mu);
        result(mu) = v.electrons(g.sites.site_of_shell[static_cast<std::size_t>(shell)]);
        if (v.spin.size() > 0) result(mu) += (spin == 0 ? 1 : -1) * v.spin(shell);
    }
    return result;
}

Charges SccDftb::Engine::populations(const Geometry& g) const {
    std::vector<Eigen::VectorXd> shells;
    for (const BlockMatrix& p : density_.matrices)
        shells.push_back(g.basis.shells_from_orbitals(mulliken_populations(p, g.overlap)));
    Eigen::VectorXd excess = -g.basis.neutral_shells();
    for (const Eigen::VectorXd& s : shells) excess += s;
    Charges q;
    q.electrons = Eigen::VectorXd::Zero(g.sites.size());
    for (int s = 0; s < g.basis.n_shells(); ++s)
        q.electrons(g.sites.site_of_shell[static_cast<std::size_t>(s)]) += excess(s);
    if (shells.size() == 2) q.spin = shells[0] - shells[1];
    if (needs_on_site()) q.on_site = on_site_populations(density_.matrices);
    return q;
}

void SccDftb::Engine::one_cycle(const Geometry& g, const Electrons& electrons, Cycle& cycle) {
    Timer timer;
    cycle.potential = potential_of(g, cycle.in);
    std::vector<BlockMatrix> hamiltonian;
    for (int spin = 0; spin < n_spins(); ++spin) {
        add_potential(hamiltonian.emplace_back(g.h0), g.overlap, orbital_potential(g, cycle.potential, spin));
        add_on_site_potential(hamiltonian.back(), cycle.potential.on_site);
    }
    seconds_["hamiltonian"] += timer.seconds();
    solver_->solve(hamiltonian, electrons, density_);
    timer.restart();
    cycle.out = populations(g);
    // F[q_out] - F <= 1/2 r K r with r = q_out - q_in and K = dV/dq: rigorous where the energy is convex in
    // the charges, as with gamma; spins and on-site populations count by the size of their parts.
    const Charges after = potential_of(g, cycle.out);
    const auto part = [&](const Eigen::VectorXd Charges::*of) {
        return 0.5 * std::abs((cycle.out.*of - cycle.in.*of).dot(after.*of - cycle.potential.*of));
    };
    cycle.error = (joined(cycle.out) - joined(cycle.in)).cwiseAbs().maxCoeff();
    cycle.bound = part(&Charges::electrons) + part(&Charges::spin) + part(&Charges::on_site);
    seconds_["charges"] += timer.seconds();
}

Preconditioner SccDftb::Engine::preconditioner(const Geometry& g, const Eigen::SparseMatrix<double>& bonds,
                                               double kT, const Charges& q, double error,
                                               ResponseOf what) const {
    const bool shared_fermi_level = !options_.spin.unpaired;
    // What begins without spins stays so: rounding errors would decide where they go.
    constexpr double no_spin = 1e-7;
    const bool closed_shell = q.spin.size() == 0 || q.spin.cwiseAbs().maxCoeff() < no_spin;
    // While charges are far off, the response is that of a warm system.
    constexpr double kelvin_per_error = 1e4, coldest = 300, warmest = 6000;
    const double warm = std::max(kT, std::clamp(kelvin_per_error * error, coldest, warmest) * units::kelvin);
    Response chi;
    Eigen::SparseMatrix<double> of_bonds = bonds;
    if (what == ResponseOf::window) {
        constexpr double half_width = 0.1;
        const std::vector<NearStates> states = solver_->states_near_fermi_level(half_width);
        const Timer timer;
        chi = window_response(g.sites, states, g.overlap, kpoints_, warm, shared_fermi_level);
        seconds_["mixing"] += timer.seconds();
    } else if (const auto near = what == ResponseOf::near_atoms ? solver_->near_response(warm)
                                                                : std::vector<NearResponse>();
               !near.empty()) {
        chi = near_sighted_response(g.sites, near, shared_fermi_level);
        of_bonds.setZero();  // they are in it
    } else {
        // The response to finite steps is that of a warm system, however cold the filling is.
        constexpr double least_temperature = 3000 * units::kelvin;
        BlockMatrix states;
        solver_->states_at_fermi_level(std::max(kT, least_temperature), states);
        chi = local_response(g.sites, g.basis.shells_from_orbitals(mulliken_populations(states, g.overlap)),
                             n_spins(), shared_fermi_level);
    }
    const Timer timer;
    Preconditioner result = make_preconditioner(
        chi, of_bonds, coulomb_->matrix(), spin_ != nullptr ? spin_->matrix() : Eigen::SparseMatrix<double>(),
        closed_shell ? SpinSteps::newton : SpinSteps::bounded);
    // Far from the end residuals grow for other reasons.
    if (what == ResponseOf::atoms || closed_shell) result.n_spins = 0;
    seconds_["mixing"] += timer.seconds();
    return result;
}

bool SccDftb::Engine::window_is_cheap(const Geometry& g) const {
    // About 0.11 of all states are in the window: products of pairs of them against a diagonalisation.
    const double orbitals = g.basis.n_orbitals(), pairs = 0.5 * std::pow(0.11 * orbitals, 2);
    const double size = g.sites.size() + (n_spins() == 2 ? g.basis.n_shells() : 0);
    return pairs * size * size < 10 * orbitals * orbitals * orbitals;
}

void SccDftb::Engine::warn_of(Fallback::Step step, const Fallback& fallback, double error,
                              const Context& context) const {
    if (step == Fallback::Step::window_response)
        context.info(fmt::format(
            "SCC makes no progress at a largest change of {:.1e} e: goes on with the response of the states "
            "near the Fermi level",
            error));
    if (step == Fallback::Step::warmer)
        context.warning(fmt::format(
            "SCC makes no progress at a largest change of {:.1e} e: this system goes on at an electronic "
            "temperature of {:.0f} K in place of {:.0f} K (scc.fallback = false forbids it)",
            error, fallback.kT() / units::kelvin, options_.electronic_temperature / units::kelvin));
}

SccDftb::Engine::Goal SccDftb::Engine::goal_for(const Wanted& wanted) const {
    // Change of a charge over the error that it leaves in the forces, e / (hartree/bohr), or its distance
    // from the self-consistent value over the error of the linearised ones: see tests/tb/test_scc_dftb,
    // forces_are_as_good_as_they_are_wanted_for_fewer_cycles.
    constexpr double charge_per_force = 3;
    const double charge = std::max(options_.scc.tolerance, charge_per_force * wanted.force_accuracy);
    return {charge, options_.scc.energy_tolerance * charge / options_.scc.tolerance,
            // The response of spins is too rough to tell what they are off.
            n_spins() == 1 ? charge_per_force * wanted.force_accuracy : 0};
}

SccDftb::Engine::Solution SccDftb::Engine::converge(const Geometry& g,
                                                    const Eigen::SparseMatrix<double>& bonds,
                                                    Electrons& electrons, Cycle& cycle,
                                                    const Context& context) {
    Timer timer;
    auto mixer = make_mixer(options_.scc.mixer, options_.scc.mixing);
    // Once spins are near their values, their own slope of the occupations decides, not that of a warm
    // system.
    constexpr double near = 0.1;
    const bool has_states = solver_->offers_states();
    const bool spin_window = n_spins() == 2 && has_states && window_is_cheap(g);
    // Of levels that have yet to find their order the response of near atoms says nothing.
    constexpr double ordered = 0.1;
    Fallback fallback(has_states, electrons.kT);
    Solution solution;
    // Of the density matrix: far from the end, less will do.
    constexpr double from_atoms = 1e-4;
    double accuracy = options_.scc.enabled && !history_.is_of(g.structure) ? from_atoms : last_accuracy();
    while (true) {
        solver_->set_accuracy(accuracy);
        one_cycle(g, electrons, cycle);
        solution.errors.push_back(cycle.error);
        context.debug(fmt::format("SCC cycle {}: largest change {:.3e} e, energy within {:.3e} hartree",
                                  solution.errors.size(), cycle.error, cycle.bound));
        if (!std::isfinite(cycle.error))
            throw NumericalError("the charges are not finite numbers: the structure is unphysical");
        solution.converged = !options_.scc.enabled ||
                             (cycle.error <= goal_.charge &&
                              cycle.bound <= goal_.energy * g.basis.n_atoms() && accuracy <= last_accuracy());
        const double used = accuracy;
        // The next cycle may be the last when its errors, thirty times smaller, would do.
        const bool nearly =
            cycle.error <= 30 * goal_.charge && cycle.bound <= 900 * goal_.energy * g.basis.n_atoms();
        accuracy = nearly ? last_accuracy() : std::max(3e-3 * cycle.error, last_accuracy());
        solution.best = cycle.out;
        if (solution.converged || static_cast<int>(solution.errors.size()) >= options_.scc.max_iterations)
            break;
        const auto step = options_.scc.fallback ? fallback.after(cycle.error) : Fallback::Step::none;
        if (step != Fallback::Step::none) {
            warn_of(step, fallback, cycle.error, context);
            solution.in_window = solution.in_window || step == Fallback::Step::window_response;
            electrons.kT = fallback.kT();
            mixer = make_mixer(Mixer::preconditioned, 0);
            if (step == Fallback::Step::warmer) continue;
        }
        const auto response = solution.in_window || (spin_window && cycle.error < near) ? ResponseOf::window
                              : cycle.error < ordered ? ResponseOf::near_atoms
                                                      : ResponseOf::atoms;
        const Preconditioner precondition =
            mixer->wants_preconditioner()
                ? preconditioner(g, bonds, electrons.kT, cycle.in, cycle.error, response)
                : Preconditioner();
        timer.restart();
        const Eigen::VectorXd x = joined(cycle.in);
        const Eigen::VectorXd next = mixer->next(x, joined(cycle.out) - x, precondition);
        if (mixer->wants_preconditioner()) {
            // The step by the response is what the charges are off, a small part of what they change by.
            const double damping = options_.scc.mixing > 0 ? options_.scc.mixing : 1;
            const double lag = (next - x).cwiseAbs().maxCoeff() / damping;
            if (lag <= goal_.lag && used <= last_accuracy()) {
                solution.converged = solution.linearized = true;
                solution.best = split(next, cycle.in);
                break;
            }
            if (lag <= 30 * goal_.lag) accuracy = last_accuracy();
        }
        cycle.in = split(next, cycle.in);
        clamp_to_possible(g.basis, g.sites, cycle.in);
        cycle.in.electrons.array() += (-options_.charge - cycle.in.electrons.sum()) / g.sites.size();
        seconds_["mixing"] += timer.seconds();
    }
    return solution;
}

std::optional<SccDftb::Engine::Solution> SccDftb::Engine::follow(const Geometry& g,
                                                                 const Eigen::SparseMatrix<double>& bonds,
                                                                 const Electrons& electrons, Cycle& cycle,
                                                                 const Context& context) {
    if (options_.scc.cycles_per_step == 0) return std::nullopt;
    const Charges start = cycle.in;
    const std::optional<Eigen::VectorXd> n = lagrangian_.next(g.structure);
    if (!n || n->size() != joined(start).size()) return std::nullopt;
    // Beyond these the charges get one cycle more, and have lost the ground state, e.g. when a bond broke, if
    // that does not bring them near: e, e, hartree per atom.
    constexpr double usual_lag = 0.02, largest_lag = 0.1, largest_energy = 2e-6;
    Solution solution;
    solution.converged = solution.linearized = true;
    // The charges are no better than this.
    constexpr double accuracy = 1e-6;
    solver_->set_accuracy(std::max(accuracy, last_accuracy()));
    Eigen::VectorXd correction = Eigen::VectorXd::Zero(n->size());
    const auto response =
        solver_->offers_states() && window_is_cheap(g) ? ResponseOf::window : ResponseOf::near_atoms;
    // One step by the response, a second one with what the first has shown. The charges are stable while the
    // kernel is less than twice the inverse of the dielectric matrix, and 1.75 times of it was seen.
    constexpr double damping = 0.75;
    const auto mixer = make_mixer(Mixer::preconditioned, damping);
    for (int k = 1;; ++k) {
        cycle.in = split(*n + correction, start);
        cycle.in.electrons.array() += (-options_.charge - cycle.in.electrons.sum()) / g.sites.size();
        one_cycle(g, electrons, cycle);
        solution.errors.push_back(cycle.error);
        // Near the ground state the response is that of the electrons as cold as they are: residuals are much
        // larger than what the charges are off.
        const Eigen::VectorXd x = joined(cycle.in);
        const Eigen::VectorXd step =
            mixer->next(x, joined(cycle.out) - x,
                        preconditioner(g, bonds, electrons.kT, cycle.in, 0, response)) -
            x;
        correction += step;
        const Charges corrected = split(*n + correction, start);
        // The linearised energy lies 1/2 r gamma (n* - n) below the self-consistent one.
        const double lag = step.cwiseAbs().maxCoeff(),
                     below = 0.5 * std::abs(dot(combined(cycle.out, -1, cycle.in),
                                                combined(potential_of(g, corrected), -1, cycle.potential)));
        context.debug(
            fmt::format("charges follow the atoms: {:.3e} e off, energy within {:.3e} hartree", lag, below));
        solution.best = corrected;
        const bool last = k > options_.scc.cycles_per_step;
        const bool close =
            lag < (last ? largest_lag : usual_lag) && below < largest_energy * g.basis.n_atoms();
        if (close && k >= options_.scc.cycles_per_step) break;
        if (!last) continue;
        context.debug("the charges are too far from their self-consistent values: converged in this step");
        // Still the better start, unless all is lost.
        cycle.in = std::max(cycle.error, lag) < ExtendedLagrangian::lost &&
                           below < 10 * largest_energy * g.basis.n_atoms()
                       ? corrected
                       : start;
        return std::nullopt;
    }
    lagrangian_.add(g.structure, *n, correction);
    return solution;
}

}  // namespace stembridge::tb

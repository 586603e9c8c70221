// SPDX-License-Identifier: Apache-2.0
// The calculation as a whole: tables, terms, self-consistency, energy, forces.
#include "stembridge/tb/scc_dftb.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <set>

#include "coulomb/coulomb_term.hpp"
#include "dispersion/dispersion_term.hpp"
#include "dispersion/tkatchenko_scheffler.hpp"
#include "hamiltonian/parameters.hpp"
#include "options.hpp"
#include "scc/diagnosis.hpp"
#include "scc/extended_lagrangian.hpp"
#include "scc/fallback.hpp"
#include "scc/prediction.hpp"
#include "scc/response.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "terms/external_term.hpp"
#include "terms/repulsive_term.hpp"
#include "terms/spin_constants.hpp"
#include "terms/spin_term.hpp"
#include "terms/third_order_term.hpp"

namespace stembridge::tb {
namespace {

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

/// Charges, spins and on-site populations one after the other, as the mixer sees them.
Eigen::VectorXd joined(const Charges& q) {
    Eigen::VectorXd x(q.electrons.size() + q.spin.size() + q.on_site.size());
    x.head(q.electrons.size()) = q.electrons;
    x.segment(q.electrons.size(), q.spin.size()) = q.spin;
    x.tail(q.on_site.size()) = q.on_site;
    return x;
}

/// The opposite of joined(), with the sizes of `like`.
Charges split(const Eigen::VectorXd& x, const Charges& like) {
    return {x.head(like.electrons.size()), x.segment(like.electrons.size(), like.spin.size()),
            x.tail(like.on_site.size())};
}

Charges combined(const Charges& a, double factor, const Charges& b) {
    return {a.electrons + factor * b.electrons, a.spin + factor * b.spin, a.on_site + factor * b.on_site};
}

double dot(const Charges& a, const Charges& b) {
    return a.electrons.dot(b.electrons) + a.spin.dot(b.spin) + a.on_site.dot(b.on_site);
}

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

/// H = H0 + 1/2 S (V_mu + V_nu). @param v of the orbitals, (n_orbitals)
void add_potential(BlockMatrix& hamiltonian, const BlockMatrix& overlap, const Eigen::VectorXd& v) {
    const Basis& basis = overlap.pattern().basis();
    const auto& blocks = overlap.pattern().blocks();
#pragma omp parallel for schedule(static)
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        const Block& b = blocks[k];
        const auto s = overlap.block(b);
        const auto vi = v.segment(basis.first_orbital(b.i), basis.n_orbitals(b.i));
        const auto vj = v.segment(basis.first_orbital(b.j), basis.n_orbitals(b.j));
        hamiltonian.block(b) += 0.5 * (vi.asDiagonal() * s + s * vj.asDiagonal());
    }
}

/// H_mu,mu += u of the orbitals' atom: the potential that belongs to the traces of the on-site blocks.
/// @param u of the atoms, or empty
void add_on_site_potential(BlockMatrix& hamiltonian, const Eigen::VectorXd& u) {
    if (u.size() == 0) return;
    for (const Block& b : hamiltonian.pattern().blocks())
        if (b.on_site()) hamiltonian.block(b).diagonal().array() += u(b.i);
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

class SccDftb::Engine {
  public:
    explicit Engine(SccDftbOptions options) : options_(std::move(options)) {
        check_options(options_);
        solver_ = make_density_solver(
            options_.solver,
            options_.kpoints.points.empty() && options_.kpoints.divisions == std::array<int, 3>{1, 1, 1},
            options_.memory_limit, options_.device);
    }

    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out, const Context& context);
    void forget() {
        history_.clear();
        lagrangian_.clear();
        raised_kT_ = 0;
    }
    void add_term(std::unique_ptr<EnergyTerm> term);
    State save() const;
    void restore(const State& state);
    std::string description() const;
    std::unique_ptr<ElectronicState> electronic_state() const;
    bool has_external() const {
        return !options_.external.point_charges.empty() || !options_.external.field.isZero(0);
    }

    SccDftbOptions options_;
    std::unique_ptr<DensitySolver> solver_;
    Density density_;
    KPoints kpoints_;
    mutable std::map<std::string, double> seconds_;

  private:
    /// Everything that belongs to one geometry.
    struct Geometry {
        Geometry(const Structure& s, const Parameters& parameters, bool shell_resolved)
            : structure(s),
              basis(s, parameters.elements()),
              sites(basis, shell_resolved),
              pattern(basis, s, [&](int a, int b) { return parameters.two_centre(a, b).range(); }),
              h0(pattern),
              overlap(pattern) {}
        const Structure& structure;
        Basis basis;
        Sites sites;
        BlockPattern pattern;
        BlockMatrix h0, overlap;
    };
    /// When the self-consistency may end.
    struct Goal {
        double charge;  ///< largest change of a charge, e
        double energy;  ///< bound of the energy's error, hartree per atom
    };
    /// That of the options, or a looser one that gives forces as good as they are wanted.
    Goal goal_for(const Wanted& wanted) const;
    struct Cycle {
        Charges in, out;
        Charges potential;
        double error = 0;  ///< largest change of a charge or spin, e
        double bound = 0;  ///< how far the energy can be from its self-consistent value, hartree
    };

    void load(const Structure& structure);
    int n_spins() const { return options_.spin.polarized ? 2 : 1; }
    /// Of the populations in a density matrix that is the result. Energies per atom are a hundred times as
    /// accurate: the errors of the pairs have all signs.
    double last_accuracy() const { return std::min(0.1 * goal_.charge, 100 * goal_.energy); }
    bool needs_on_site() const {
        return std::any_of(terms_.begin(), terms_.end(), [](const auto* t) { return t->needs_on_site(); });
    }
    Charges starting_charges(const Geometry& g) const;
    Charges potential_of(const Geometry& g, const Charges& q) const;
    Eigen::VectorXd orbital_potential(const Geometry& g, const Charges& potential, int spin) const;
    void one_cycle(const Geometry& g, const Electrons& electrons, Cycle& cycle);
    Charges populations(const Geometry& g) const;
    /// @param error of the cycle  @param window use the exact response of the states near the Fermi level
    Preconditioner preconditioner(const Geometry& g, const Eigen::SparseMatrix<double>& bonds, double kT,
                                  double error, bool window) const;
    /// Whether the window response costs little beside a diagonalisation.
    bool window_is_cheap(const Geometry& g) const;
    void warn_of(Fallback::Step step, const Fallback& fallback, double error, const Context& context) const;
    /// How the charges of a geometry were found.
    struct Solution {
        std::vector<double> errors;  ///< of the cycles
        bool converged = false;
        bool in_window = false;
        bool linearized = false;  ///< energy and forces belong to cycle.in, not to self-consistent charges
    };
    /// Cycles until the charges agree with themselves. @param cycle in: where to start
    Solution converge(const Geometry& g, const Eigen::SparseMatrix<double>& bonds, Electrons& electrons,
                      Cycle& cycle, const Context& context);
    /// A step of extended-Lagrangian dynamics. @return nothing when the charges have to be converged
    std::optional<Solution> follow(const Geometry& g, const Eigen::SparseMatrix<double>& bonds,
                                   const Electrons& electrons, Cycle& cycle, const Context& context);
    /// The energy of a term, linearised about cycle.in when asked for: E(n) + dE/dn (q - n).
    double energy_of(const EnergyTerm& term, const Cycle& cycle, bool linearized) const;
    void fill_energy(const Geometry& g, const Cycle& cycle, bool linearized, Evaluation& out) const;
    void fill_forces(const Geometry& g, const Cycle& cycle, bool linearized, Wanted wanted, Evaluation& out);

    std::unique_ptr<Parameters> parameters_;
    std::vector<int> loaded_;
    /// Built-in terms of the loaded elements, and those of the user; `terms_` lists both in order.
    std::vector<std::unique_ptr<EnergyTerm>> own_terms_, added_terms_;
    std::vector<EnergyTerm*> terms_;
    CoulombTerm* coulomb_ = nullptr;
    SpinTerm* spin_ = nullptr;

    ChargeHistory history_;
    ExtendedLagrangian lagrangian_;
    /// Electronic temperature that the atoms of the history needed, hartree; 0 = that of the options. It
    /// stays theirs, so that later energies belong to one surface.
    Goal goal_{};  ///< of the last evaluation
    double raised_kT_ = 0;

    /// What the last evaluation was of, beside its density.
    struct Last {
        Structure structure;
        Electrons electrons;
        std::vector<Eigen::VectorXd> potential;  ///< of the orbitals, per spin
        Eigen::VectorXd on_site_potential;       ///< of the atoms, or empty
    };
    std::optional<Last> last_;
};

void SccDftb::Engine::load(const Structure& structure) {
    const std::set<int> distinct(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    const std::vector<int> elements(distinct.begin(), distinct.end());
    if (parameters_ && elements == loaded_) return;
    terms_.clear();
    own_terms_.clear();
    coulomb_ = nullptr;
    spin_ = nullptr;
    parameters_ = std::make_unique<Parameters>(options_.parameters, elements, options_.max_angular_momentum);
    loaded_ = elements;
    own_terms_.push_back(std::make_unique<RepulsiveTerm>(*parameters_));
    if (options_.scc.enabled) {
        auto coulomb = std::make_unique<CoulombTerm>(options_.third_order.damping_exponent);
        coulomb_ = coulomb.get();
        own_terms_.push_back(std::move(coulomb));
    }
    if (options_.spin.polarized) {
        std::map<int, Eigen::MatrixXd> constants = options_.spin.constants;
        constants.merge(read_spin_constants(options_.parameters));
        auto spin = std::make_unique<SpinTerm>(std::move(constants));
        spin_ = spin.get();
        own_terms_.push_back(std::move(spin));
    }
    if (options_.third_order.mode != ThirdOrder::none)
        own_terms_.push_back(std::make_unique<ThirdOrderTerm>(options_.third_order));
    if (has_external()) own_terms_.push_back(std::make_unique<ExternalTerm>(options_.external));
    if (options_.dispersion == Dispersion::lennard_jones)
        own_terms_.push_back(std::make_unique<DispersionTerm>(make_lennard_jones()));
    if (options_.dispersion == Dispersion::slater_kirkwood)
        own_terms_.push_back(std::make_unique<DispersionTerm>(make_slater_kirkwood()));
    if (options_.dispersion == Dispersion::tkatchenko_scheffler)
        own_terms_.push_back(std::make_unique<TkatchenkoScheffler>(options_.ts_scaling));
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

Charges SccDftb::Engine::starting_charges(const Geometry& g) const {
    Charges q;
    const Eigen::Index n_spin = options_.spin.polarized ? g.basis.n_shells() : 0;
    if (const auto guess = history_.predict(g.structure, options_.scc.predict);
        guess && guess->electrons.size() == g.sites.size() && guess->spin.size() == n_spin &&
        guess->on_site.size() == (needs_on_site() ? g.basis.n_atoms() : 0))
        return *guess;
    // Neutral atoms with the charge spread evenly, and the spins of free atoms scaled to the wanted sum.
    q.electrons = Eigen::VectorXd::Constant(g.sites.size(), -options_.charge / g.sites.size());
    if (needs_on_site()) q.on_site = g.basis.atoms_from_shells(g.basis.neutral_shells());
    q.spin.resize(n_spin);
    for (Eigen::Index s = 0; s < n_spin; ++s) {
        const int atom = g.basis.atom_of_shell(static_cast<int>(s));
        const int l = static_cast<int>(s) - g.basis.first_shell(atom);
        const double f = g.basis.neutral_shells()(s);
        q.spin(s) = std::min(f, 2.0 * (2 * l + 1) - f);
    }
    if (options_.spin.unpaired && q.spin.sum() > 0) q.spin *= *options_.spin.unpaired / q.spin.sum();
    return q;
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
                                               double kT, double error, bool window) const {
    const bool shared_fermi_level = !options_.spin.unpaired;
    Response chi;
    if (window) {
        // While charges are far off, the response is that of a warm system.
        constexpr double half_width = 0.1, kelvin_per_error = 1e4;
        const std::vector<NearStates> states = solver_->states_near_fermi_level(half_width);
        const double warm = std::clamp(kelvin_per_error * error, 300.0, 6000.0) * units::kelvin;
        const Timer timer;
        chi = window_response(g.sites, states, g.overlap, std::max(kT, warm), shared_fermi_level);
        seconds_["mixing"] += timer.seconds();
    } else {
        // The response to finite steps is that of a warm system, however cold the filling is.
        constexpr double least_temperature = 3000 * units::kelvin;
        BlockMatrix states;
        solver_->states_at_fermi_level(std::max(kT, least_temperature), states);
        const Eigen::VectorXd shells = g.basis.shells_from_orbitals(mulliken_populations(states, g.overlap));
        chi = local_response(g.sites, shells, n_spins(), shared_fermi_level);
    }
    const Timer timer;
    Preconditioner result = make_preconditioner(
        chi, bonds, coulomb_->matrix(), spin_ != nullptr ? spin_->matrix() : Eigen::SparseMatrix<double>());
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

double SccDftb::Engine::energy_of(const EnergyTerm& term, const Cycle& cycle, bool linearized) const {
    if (!linearized) return term.energy(cycle.out);
    Charges slope = combined(cycle.in, -1, cycle.in);
    term.add_potential(cycle.in, slope);
    return term.energy(cycle.in) + dot(slope, combined(cycle.out, -1, cycle.in));
}

void SccDftb::Engine::fill_energy(const Geometry& g, const Cycle& cycle, bool linearized,
                                  Evaluation& out) const {
    double h0 = 0;
    for (const BlockMatrix& p : density_.matrices) h0 += trace_of_product(p, g.h0);
    out.terms.clear();
    out.terms["h0"] = h0;
    out.terms["band"] = density_.band_energy;
    out.terms["entropy"] = -density_.ts;
    double electronic = h0, apart = 0;
    for (EnergyTerm* term : terms_) {
        const double energy = energy_of(*term, cycle, linearized);
        out.terms[term->name()] = energy;
        (term->name() == "repulsive" || term->name() == "dispersion" ? apart : electronic) += energy;
    }
    out.terms["electronic"] = electronic;
    out.energy = electronic + apart - density_.ts;
    out.energy_zero = out.energy + density_.ts_share_at_zero * density_.ts;
    const auto atomic = [&](const Eigen::VectorXd& on_sites) {
        Eigen::VectorXd atoms = Eigen::VectorXd::Zero(g.basis.n_atoms());
        for (int s = 0; s < g.sites.size(); ++s)
            atoms(g.sites.atom[static_cast<std::size_t>(s)]) += on_sites(s);
        return atoms;
    };
    out.charges = -atomic(cycle.out.electrons);
    out.spin_moments =
        options_.spin.polarized ? g.basis.atoms_from_shells(cycle.out.spin) : Eigen::VectorXd();
    out.fermi_level = *std::max_element(density_.fermi_levels.begin(), density_.fermi_levels.end());
    out.residual = cycle.error;
    out.energy_bound = options_.scc.enabled ? cycle.bound : 0;
    out.solver = solver_->name();
    out.n_orbitals = g.basis.n_orbitals();
}

void SccDftb::Engine::fill_forces(const Geometry& g, const Cycle& cycle, bool linearized, Wanted wanted,
                                  Evaluation& out) {
    out.forces.resize(3, 0);
    out.stress.reset();
    if (!wanted.forces && !wanted.stress) return;
    BlockMatrix energy_weighted;
    solver_->energy_weighted(energy_weighted);
    const Timer timer;
    std::vector<Eigen::VectorXd> v;
    v.reserve(static_cast<std::size_t>(n_spins()));
    for (int spin = 0; spin < n_spins(); ++spin) v.push_back(orbital_potential(g, cycle.potential, spin));

    // dE/dr of each pair: 2 tr [ P dH0 + (1/2 P (V_mu + V_nu) - W) dS ]
    const auto& blocks = g.pattern.blocks();
    Eigen::Matrix3Xd gradient = Eigen::Matrix3Xd::Zero(3, static_cast<Eigen::Index>(blocks.size()));
#pragma omp parallel for schedule(static)
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        const Block& b = blocks[k];
        if (b.on_site()) continue;
        Eigen::MatrixXd for_h = Eigen::MatrixXd::Zero(g.basis.n_orbitals(b.i), g.basis.n_orbitals(b.j));
        Eigen::MatrixXd for_s = -2 * energy_weighted.block(b);
        for (std::size_t spin = 0; spin < v.size(); ++spin) {
            const auto p = density_.matrices[spin].block(b);
            for_h += 2 * p;
            for_s += v[spin].segment(g.basis.first_orbital(b.i), p.rows()).asDiagonal() * p +
                     p * v[spin].segment(g.basis.first_orbital(b.j), p.cols()).asDiagonal();
        }
        gradient.col(static_cast<Eigen::Index>(k)) =
            parameters_->two_centre(g.basis.element_index(b.i), g.basis.element_index(b.j))
                .gradient(b.r, for_h, for_s);
    }
    Eigen::Matrix3Xd forces = Eigen::Matrix3Xd::Zero(3, g.basis.n_atoms());
    Eigen::Matrix3d strain = Eigen::Matrix3d::Zero();
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        const auto slope = gradient.col(static_cast<Eigen::Index>(k));
        forces.col(blocks[k].i) += slope;
        forces.col(blocks[k].j) -= slope;
        strain += slope * blocks[k].r.transpose();
    }
    const auto add_terms = [&](const Charges& q, double factor) {
        Eigen::Matrix3Xd by_position = Eigen::Matrix3Xd::Zero(3, g.basis.n_atoms());
        Eigen::Matrix3d by_strain = Eigen::Matrix3d::Zero();
        for (EnergyTerm* term : terms_) {
            if (wanted.forces) term->add_forces(q, by_position);
            if (wanted.stress) term->add_stress(q, by_strain);
        }
        forces += factor * by_position;
        strain += factor * by_strain;
    };
    if (linearized) {
        // d/dr of E(n) + dE/dn (q - n); the slope by a central difference, exact up to third powers.
        add_terms(cycle.in, 1);
        add_terms(cycle.out, 0.5);
        add_terms(combined(combined(cycle.in, 1, cycle.in), -1, cycle.out), -0.5);
    } else {
        add_terms(cycle.out, 1);
    }
    if (wanted.forces) out.forces = forces;
    if (wanted.stress) out.stress = 0.5 * (strain + strain.transpose()) / g.structure.cell.volume();
    seconds_["forces"] += timer.seconds();
}

SccDftb::Engine::Goal SccDftb::Engine::goal_for(const Wanted& wanted) const {
    // Change of a charge over the error that it leaves in the forces, e / (hartree/bohr): see
    // tests/tb/test_scc_dftb, forces_are_as_good_as_they_are_wanted.
    constexpr double charge_per_force = 3;
    const double charge = std::max(options_.scc.tolerance, charge_per_force * wanted.force_accuracy);
    return {charge, options_.scc.energy_tolerance * charge / options_.scc.tolerance};
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
        accuracy = std::max(3e-3 * cycle.error, last_accuracy());
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
        const Preconditioner precondition =
            mixer->wants_preconditioner()
                ? preconditioner(g, bonds, electrons.kT, cycle.error,
                                 solution.in_window || (spin_window && cycle.error < near))
                : Preconditioner();
        timer.restart();
        const Eigen::VectorXd x = joined(cycle.in);
        const Eigen::VectorXd next = mixer->next(x, joined(cycle.out) - x, precondition);
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
    // Beyond this the charges have lost the ground state, e.g. when a bond broke: e, hartree per atom.
    constexpr double largest_error = 0.02, largest_bound = 2e-6;
    Solution solution;
    solution.converged = solution.linearized = true;
    solver_->set_accuracy(last_accuracy());
    Eigen::VectorXd correction = Eigen::VectorXd::Zero(n->size());
    for (int k = 1; k <= options_.scc.cycles_per_step; ++k) {
        cycle.in = split(*n + correction, start);
        cycle.in.electrons.array() += (-options_.charge - cycle.in.electrons.sum()) / g.sites.size();
        one_cycle(g, electrons, cycle);
        solution.errors.push_back(cycle.error);
        context.debug(fmt::format("charges follow the atoms: {:.3e} e off, energy within {:.3e} hartree",
                                  cycle.error, cycle.bound));
        if (!(cycle.error < largest_error && cycle.bound < largest_bound * g.basis.n_atoms())) {
            context.debug(fmt::format(
                "the charges are {:.2g} e off their self-consistent values: converged in this step",
                cycle.error));
            cycle.in = start;
            return std::nullopt;
        }
        correction +=
            preconditioner(g, bonds, electrons.kT, cycle.error, false)(joined(cycle.out) - joined(cycle.in));
    }
    lagrangian_.add(g.structure, *n, correction);
    return solution;
}

void SccDftb::Engine::evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                               const Context& context) {
    if (structure.size() == 0) throw InputError("the structure has no atoms");
    structure.validate();
    if (wanted.stress && structure.cell.volume() < 1e-6)
        throw InputError("stress is wanted but the structure has no cell");
    if (wanted.stress && has_external())
        throw UnsupportedError("stress with external point charges or a field is not available");
    last_.reset();
    goal_ = goal_for(wanted);
    load(structure);

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

    if (!history_.is_of(structure)) forget();
    Electrons electrons{.number = g.basis.neutral_shells().sum() - options_.charge,
                        .kT = std::max(options_.electronic_temperature, raised_kT_),
                        .filling = options_.filling,
                        .n_spins = n_spins(),
                        .unpaired = options_.spin.unpaired};
    const Eigen::SparseMatrix<double> bonds =
        options_.scc.enabled ? bond_response(structure, g.sites) : Eigen::SparseMatrix<double>();
    Cycle cycle;
    cycle.in = starting_charges(g);
    std::optional<Solution> solution = follow(g, bonds, electrons, cycle, context);
    if (!solution) {
        solution = converge(g, bonds, electrons, cycle, context);
        const Eigen::VectorXd q = joined(cycle.out);
        if (solution->converged && options_.scc.cycles_per_step > 0)
            lagrangian_.add(structure, q, Eigen::VectorXd::Zero(q.size()));
    }
    if (electrons.kT > options_.electronic_temperature) raised_kT_ = electrons.kT;

    out.iterations = static_cast<int>(solution->errors.size());
    out.converged = solution->converged;
    out.electronic_temperature = electrons.kT;
    out.fallback = raised_kT_ > 0 ? "electronic-temperature" : solution->in_window ? "window-response" : "";
    fill_energy(g, cycle, solution->linearized, out);
    fill_forces(g, cycle, solution->linearized, wanted, out);
    history_.add(structure, cycle.out, solution->converged);
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
    if (raised_kT_ > 0) state.put("raised_electronic_temperature", raised_kT_);
    return state;
}

void SccDftb::Engine::restore(const State& state) {
    history_.restore(state);
    lagrangian_.restore(state.part("lagrangian"));
    raised_kT_ =
        state.has("raised_electronic_temperature") ? state.number("raised_electronic_temperature") : 0;
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
    return {.forces = true, .stress = structure.cell.is_periodic() && !engine_->has_external()};
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

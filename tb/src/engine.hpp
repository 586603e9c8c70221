// SPDX-License-Identifier: Apache-2.0
// What an SccDftb holds and how an evaluation goes: charges to self-consistency, then energy and forces.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "coulomb/coulomb_term.hpp"
#include "dispersion/bonded_neighbors.hpp"
#include "hamiltonian/parameters.hpp"
#include "options.hpp"
#include "scc/extended_lagrangian.hpp"
#include "scc/fallback.hpp"
#include "scc/prediction.hpp"
#include "scc/response.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/scc_dftb.hpp"
#include "terms/spin_term.hpp"

namespace stembridge::tb {

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
        bonded_neighbors_.clear();
        raised_kT_ = 0;
        spins_sought_at_.resize(3, 0);
        solver_->restore({});
        solver_state_ = {};
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
        /// Largest distance of a charge from its self-consistent value at which energy and forces of the
        /// functional linearised there will do, e; 0 = only the self-consistent ones will.
        double lag;
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
    /// accurate: the errors of the pairs have all signs. However little is wanted of the forces, energies of
    /// neighbouring geometries are compared.
    double last_accuracy() const { return std::min({0.1 * goal_.charge, 100 * goal_.energy, 1e-6}); }
    bool needs_on_site() const {
        return std::any_of(terms_.begin(), terms_.end(), [](const auto* t) { return t->needs_on_site(); });
    }
    Charges starting_charges(const Geometry& g) const;
    /// Up less down, (n_shells). @throw InputError for initial moments that the atoms cannot have
    Eigen::VectorXd starting_spins(const Geometry& g) const;
    Charges potential_of(const Geometry& g, const Charges& q) const;
    Eigen::VectorXd orbital_potential(const Geometry& g, const Charges& potential, int spin) const;
    void one_cycle(const Geometry& g, const Electrons& electrons, Cycle& cycle);
    Charges populations(const Geometry& g) const;
    /// Whose response to potentials a step of the charges goes by: of each atom by itself, of near atoms to
    /// each other (as `atoms` where the solver cannot tell), of the states near the Fermi level.
    enum class ResponseOf { atoms, near_atoms, window };
    /// @param q, error of the cycle
    Preconditioner preconditioner(const Geometry& g, const Eigen::SparseMatrix<double>& bonds, double kT,
                                  const Charges& q, double error, ResponseOf what) const;
    /// Whether the window response costs little beside a diagonalisation.
    bool window_is_cheap(const Geometry& g) const;
    void warn_of(Fallback::Step step, const Fallback& fallback, double error, const Context& context) const;
    /// How the charges of a geometry were found.
    struct Solution {
        std::vector<double> errors;  ///< of the cycles
        bool converged = false;
        bool in_window = false;
        bool linearized = false;  ///< energy and forces belong to cycle.in, not to self-consistent charges
        Charges best;             ///< the best guess at self-consistent charges
    };
    /// Cycles until the charges agree with themselves. @param cycle in: where to start
    Solution converge(const Geometry& g, const Eigen::SparseMatrix<double>& bonds, Electrons& electrons,
                      Cycle& cycle, const Context& context);
    /// Another order of the spins.
    struct Sought {
        Charges charges;
        double energy;
    };
    /// What is without spin stays so by symmetry, also where a bond has broken since. Once bonds have
    /// stretched by more than vibrations do, spins are started anew where there are none: everywhere, or
    /// where bonds are missing.
    /// @param predicted the charges otherwise  @return nothing where they end as they would without that
    std::optional<Sought> seek_spins(const Geometry& g, const Eigen::SparseMatrix<double>& bonds,
                                     const Electrons& electrons, const Charges& predicted,
                                     const Context& context);
    /// Since spins were sought last; they are, then.
    bool bonds_have_stretched(const Geometry& g);
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

    BondedNeighbors bonded_neighbors_;
    ChargeHistory history_;
    ExtendedLagrangian lagrangian_;
    /// Electronic temperature that the atoms of the history needed, hartree; 0 = that of the options. It
    /// stays theirs, so that later energies belong to one surface.
    double raised_kT_ = 0;
    Eigen::Matrix3Xd spins_sought_at_;  ///< positions at which spins started last
    State solver_state_;  ///< at the end of the last evaluation, whatever became of one that was stopped
    Goal goal_{};         ///< of the last evaluation

    /// What the last evaluation was of, beside its density.
    struct Last {
        Structure structure;
        Electrons electrons;
        std::vector<Eigen::VectorXd> potential;  ///< of the orbitals, per spin
        Eigen::VectorXd on_site_potential;       ///< of the atoms, or empty
    };
    std::optional<Last> last_;
};

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Whatever gives energy and forces for a structure. md/ works with any of them.
#pragma once

#include <Eigen/Dense>
#include <map>
#include <optional>
#include <string>

#include "stembridge/base/context.hpp"
#include "stembridge/base/state.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge {

/// Which derivatives are wanted (or offered), and how good they must be.
struct Wanted {
    bool forces = true;
    bool stress = false;
    /// Errors of the forces up to this will do, hartree/bohr: a self-consistency may end early. 0 = as good
    /// as the options of the calculator say. Evaluation::energy_bound tells how far the energy is off.
    double force_accuracy = 0;
};

/// Result of one evaluation, Hartree atomic units.
struct Evaluation {
    double energy =
        0;  ///< the quantity whose gradient is minus the forces (Mermin free energy where there is one)
    double energy_zero = 0;                 ///< extrapolation of the energy to zero electronic temperature
    std::map<std::string, double> terms;    ///< contributions by name ("repulsive", "coulomb", ...), hartree
    Eigen::Matrix3Xd forces;                ///< (3, n), hartree/bohr; empty when not wanted
    std::optional<Eigen::Matrix3d> stress;  ///< (3, 3), hartree/bohr^3, tension positive
    Eigen::VectorXd charges;            ///< (n), e, positive = electrons lost; empty when the model has none
    Eigen::VectorXd spin_moments;       ///< (n), e, or empty
    std::optional<double> fermi_level;  ///< hartree
    int iterations = 0;                 ///< self-consistency cycles
    double residual = 0;                ///< of the self-consistency, e
    bool converged = true;
    double energy_bound = 0;  ///< how far the energy can be from its self-consistent, exact value, hartree
    std::optional<double> electronic_temperature;  ///< kT of the filling that was used, hartree
    std::string fallback;  ///< what the self-consistency needed beyond its ordinary way; empty = nothing
    std::string solver;    ///< what did the expensive step
    int n_orbitals = 0;
};

/// A model of the energy of a structure.
class Calculator {
  public:
    virtual ~Calculator() = default;

    /// Energy and the wanted derivatives of a structure.
    /// @param out is filled also when the self-consistency fails, with converged = false, before the throw
    /// @throw ConvergenceError when the self-consistency fails  @throw InputError when the model cannot treat
    /// the structure (missing parameters, atoms on top of each other)
    virtual void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                          const Context& context) = 0;

    /// What evaluate() can give for this structure.
    virtual Wanted offers(const Structure& structure) const = 0;
    /// One line for logs and reports, e.g. "SCC-DFTB, pbc-0-3, 300 K".
    virtual std::string description() const = 0;
    /// Drops everything remembered from earlier evaluations (charges).
    virtual void forget() {}
    /// What is remembered, so that restore() continues to the same bits.
    virtual State save() const { return {}; }
    virtual void restore(const State&) {}
};

}  // namespace stembridge

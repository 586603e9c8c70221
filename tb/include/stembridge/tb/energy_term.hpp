// SPDX-License-Identifier: Apache-2.0
// One contribution to the energy, with the four things the engine asks of it.
#pragma once

#include <Eigen/Dense>
#include <string>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/basis.hpp"

namespace stembridge::tb {

/// State of the self-consistency; the potential dE/d(...) has the same shape.
struct Charges {
    Eigen::VectorXd electrons;  ///< (sites) electrons minus those of the neutral atoms
    Eigen::VectorXd spin;       ///< (shells) spin up minus spin down, or empty
    Eigen::VectorXd on_site;    ///< (atoms) trace of the density matrix's block of each atom; empty unless a
                                ///< term needs it
};

/// A term E(positions, charges). update() comes first for every geometry.
class EnergyTerm {
  public:
    virtual ~EnergyTerm() = default;
    /// Name in Evaluation::terms.
    virtual std::string name() const = 0;
    /// Whether the term depends on Charges::on_site, the electrons of an atom without those of its bonds.
    virtual bool needs_on_site() const { return false; }
    /// Takes a new geometry.
    virtual void update(const Structure& structure, const Basis& basis, const Sites& sites) = 0;
    /// hartree
    virtual double energy(const Charges& charges) const = 0;
    /// Adds dE/d(electrons), dE/d(spin) and dE/d(on_site), hartree/e. A term without charges adds nothing.
    virtual void add_potential(const Charges& charges, Charges& potential) const = 0;
    /// Adds -dE/dr at fixed charges, (3, n), hartree/bohr.
    virtual void add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const = 0;
    /// Adds dE/d(strain) at fixed charges, (3, 3), hartree; the engine divides by the volume.
    virtual void add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const = 0;
};

}  // namespace stembridge::tb

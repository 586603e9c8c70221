// SPDX-License-Identifier: Apache-2.0
#include "terms/external_term.hpp"

#include <fmt/format.h>

#include "coulomb/coulomb_term.hpp"
#include "coulomb/ewald.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {

void ExternalTerm::update(const Structure& structure, const Basis& basis, const Sites& sites) {
    constexpr double closest = 0.5;  // bohr
    atom_of_site_ = sites.atom;
    n_atoms_ = basis.n_atoms();
    for (int k = 0; k < 3; ++k)
        if (structure.cell.periodic[static_cast<std::size_t>(k)] &&
            std::abs(structure.cell.vector(k).dot(options_.field)) > 1e-12 * structure.cell.vector(k).norm())
            throw InputError(fmt::format(
                "external.field has a component along lattice vector {}, in which the structure is periodic",
                k + 1));

    together_ = Structure{};
    together_.atomic_numbers = structure.atomic_numbers;
    together_.positions = structure.positions;
    together_.cell = structure.cell;
    for (const PointCharge& p : options_.point_charges) together_.add(1, p.position);
    together_ = electrostatic_structure(together_);
    const NeighborList near(together_, closest);
    for (int k = n_atoms_; k < together_.size(); ++k)
        for (const Neighbor& p : near.of(k))
            if (p.j < n_atoms_)
                throw InputError(
                    fmt::format("point charge {} is {:.3f} angstrom from atom {}: it must stay outside",
                                k - n_atoms_ + 1, p.distance / units::angstrom, p.j + 1));

    potential_ = -structure.positions.transpose() * options_.field;
    if (options_.point_charges.empty()) return;
    Eigen::VectorXd outer(together_.size() - n_atoms_);
    for (Eigen::Index k = 0; k < outer.size(); ++k)
        outer(k) = options_.point_charges[static_cast<std::size_t>(k)].charge;
    if (together_.cell.is_periodic()) {
        potential_ += Ewald(together_).matrix().topRightCorner(n_atoms_, outer.size()) * outer;
    } else {
        for (int i = 0; i < n_atoms_; ++i)
            for (Eigen::Index k = 0; k < outer.size(); ++k)
                potential_(i) +=
                    outer(k) / (together_.positions.col(i) - together_.positions.col(n_atoms_ + k)).norm();
    }
}

Eigen::VectorXd ExternalTerm::net_charges(const Charges& charges) const {
    Eigen::VectorXd q = Eigen::VectorXd::Zero(n_atoms_);
    for (std::size_t s = 0; s < atom_of_site_.size(); ++s)
        q(atom_of_site_[s]) -= charges.electrons(static_cast<Eigen::Index>(s));
    return q;
}

double ExternalTerm::energy(const Charges& charges) const {
    return net_charges(charges).dot(potential_);
}

void ExternalTerm::add_potential(const Charges&, Charges& potential) const {
    for (std::size_t s = 0; s < atom_of_site_.size(); ++s)
        potential.electrons(static_cast<Eigen::Index>(s)) -= potential_(atom_of_site_[s]);
}

void ExternalTerm::add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const {
    const Eigen::VectorXd q = net_charges(charges);
    forces += options_.field * q.transpose();
    if (options_.point_charges.empty()) return;
    Eigen::VectorXd atoms = Eigen::VectorXd::Zero(together_.size()), all;
    atoms.head(n_atoms_) = q;
    all = atoms;
    for (int k = n_atoms_; k < together_.size(); ++k)
        all(k) = options_.point_charges[static_cast<std::size_t>(k - n_atoms_)].charge;
    if (together_.cell.is_periodic()) {
        // Q J q_outer = 1/2 (Q + q) J (Q + q) - 1/2 Q J Q - 1/2 q J q; the last does not depend on the atoms.
        const Ewald ewald(together_);
        Eigen::Matrix3Xd with = Eigen::Matrix3Xd::Zero(3, together_.size()), without = with;
        ewald.add_forces(all, with);
        ewald.add_forces(atoms, without);
        forces += (with - without).leftCols(n_atoms_);
    } else {
        for (int i = 0; i < n_atoms_; ++i)
            for (int k = n_atoms_; k < together_.size(); ++k) {
                const Eigen::Vector3d r = together_.positions.col(i) - together_.positions.col(k);
                forces.col(i) += q(i) * all(k) / std::pow(r.norm(), 3) * r;
            }
    }
}

void ExternalTerm::add_stress(const Charges&, Eigen::Matrix3d&) const {
    throw UnsupportedError(
        "stress with external point charges or a field is not defined: they do not follow the cell");
}

}  // namespace stembridge::tb

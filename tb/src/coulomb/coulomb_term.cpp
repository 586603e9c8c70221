// SPDX-License-Identifier: Apache-2.0
#include "coulomb/coulomb_term.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {
namespace {
constexpr double tolerance = 1e-12;  // hartree/e^2, of an element of gamma
}

Structure electrostatic_structure(const Structure& structure) {
    const auto& repeats = structure.cell.periodic;
    if (std::count(repeats.begin(), repeats.end(), true) != 1) return structure;
    constexpr double least_vacuum = 10.0;  // bohr
    Structure box = structure;
    box.cell.periodic = {true, true, true};
    if (box.cell.volume() > 1e-6) {
        const Eigen::Matrix3Xd f = box.cell.fractional(structure.positions);
        bool roomy = true;
        for (int k = 0; k < 3; ++k) {
            const double extent = f.row(k).maxCoeff() - f.row(k).minCoeff();
            const double spacing = 2 * M_PI / box.cell.reciprocal().col(k).norm();
            roomy = roomy && (repeats[static_cast<std::size_t>(k)] || (1 - extent) * spacing >= least_vacuum);
        }
        if (roomy) return box;
    }
    throw InputError(
        fmt::format("a cell that is periodic in one direction needs lattice vectors with at least {:.1f} "
                    "angstrom of vacuum in the others: its electrostatics is that of a box",
                    least_vacuum / units::angstrom));
}

const Gamma& CoulombTerm::gamma(int a, int b) const {
    return gammas_[static_cast<std::size_t>(type_of_site_[static_cast<std::size_t>(a)] * n_types_ +
                                            type_of_site_[static_cast<std::size_t>(b)])];
}

void CoulombTerm::update(const Structure& structure, const Basis& basis, const Sites& sites) {
    structure_ = electrostatic_structure(structure);
    atom_of_site_ = sites.atom;
    first_site_.assign(1, 0);
    for (int i = 0; i < basis.n_atoms(); ++i)
        first_site_.push_back(first_site_.back() + (sites.shell_resolved ? basis.n_shells(i) : 1));

    // One type of site per element and shell (or per element).
    struct Type {
        double hubbard;
        bool hydrogen;
    };
    std::vector<Type> types;
    std::vector<int> first_type;
    for (const ElementData& e : basis.elements()) {
        first_type.push_back(static_cast<int>(types.size()));
        for (int l = 0; l < (sites.shell_resolved ? e.n_shells : 1); ++l)
            types.push_back({e.hubbard[static_cast<std::size_t>(l)], e.atomic_number == 1});
    }
    n_types_ = static_cast<int>(types.size());
    type_of_site_.clear();
    for (int s = 0; s < sites.size(); ++s) {
        const int i = atom_of_site_[static_cast<std::size_t>(s)];
        type_of_site_.push_back(first_type[static_cast<std::size_t>(basis.element_index(i))] + s -
                                first_site_[static_cast<std::size_t>(i)]);
    }
    gammas_.clear();
    double range = 1;
    for (const Type& a : types)
        for (const Type& b : types) {
            gammas_.emplace_back(a.hubbard, b.hubbard, a.hydrogen || b.hydrogen ? damping_ : std::nullopt);
            range = std::max(range, gammas_.back().range(tolerance));
        }
    pairs_.emplace(structure_, range);

    // 1/R between atoms, then minus S between the sites of near atoms.
    const int n = basis.n_atoms();
    Eigen::MatrixXd j(n, n);
    ewald_.reset();
    if (structure_.cell.is_periodic()) {
        ewald_.emplace(structure_, tolerance);
        j = ewald_->matrix();
    } else {
#pragma omp parallel for schedule(static)
        for (int b = 0; b < n; ++b)
            for (int a = 0; a < n; ++a)
                j(a, b) = a == b ? 0 : 1 / (structure_.positions.col(a) - structure_.positions.col(b)).norm();
    }
    gamma_.resize(sites.size(), sites.size());
#pragma omp parallel for schedule(static)
    for (int t = 0; t < sites.size(); ++t) {
        const int b = atom_of_site_[static_cast<std::size_t>(t)];
        for (int s = 0; s < sites.size(); ++s) {
            const int a = atom_of_site_[static_cast<std::size_t>(s)];
            gamma_(s, t) = j(a, b) + (a == b ? gamma(s, t).on_site() : 0);
        }
        for (const Neighbor& p : pairs_->of(b))
            for (int s = first_site_[static_cast<std::size_t>(p.j)];
                 s < first_site_[static_cast<std::size_t>(p.j) + 1]; ++s)
                gamma_(s, t) -= gamma(s, t).short_range(p.distance)[0];
    }
}

Eigen::VectorXd CoulombTerm::atomic(const Eigen::VectorXd& q) const {
    Eigen::VectorXd atoms = Eigen::VectorXd::Zero(structure_.size());
    for (Eigen::Index s = 0; s < q.size(); ++s) atoms(atom_of_site_[static_cast<std::size_t>(s)]) += q(s);
    return atoms;
}

double CoulombTerm::energy(const Charges& charges) const {
    return 0.5 * charges.electrons.dot(gamma_ * charges.electrons);
}

void CoulombTerm::add_potential(const Charges& charges, Charges& potential) const {
    potential.electrons.noalias() += gamma_ * charges.electrons;
}

double CoulombTerm::short_range_slope(const Neighbor& pair, int i, const Eigen::VectorXd& q) const {
    double slope = 0;
    const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(pair.j);
    for (int s = first_site_[a]; s < first_site_[a + 1]; ++s)
        for (int t = first_site_[b]; t < first_site_[b + 1]; ++t)
            slope -= q(s) * q(t) * gamma(s, t).short_range(pair.distance)[1];
    return slope;
}

void CoulombTerm::add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const {
    const Eigen::VectorXd& q = charges.electrons;
    const Eigen::VectorXd q_atom = atomic(q);
    if (ewald_) ewald_->add_forces(q_atom, forces);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < structure_.size(); ++i) {
        Eigen::Vector3d gradient =
            Eigen::Vector3d::Zero();  // of the energy with respect to r_j - r_i, summed over j
        for (const Neighbor& p : pairs_->of(i)) gradient += short_range_slope(p, i, q) / p.distance * p.r_ij;
        if (!ewald_)
            for (int j = 0; j < structure_.size(); ++j) {
                if (j == i) continue;
                const Eigen::Vector3d r = structure_.positions.col(j) - structure_.positions.col(i);
                const double distance = r.norm();
                gradient -= q_atom(i) * q_atom(j) / (distance * distance * distance) * r;
            }
        forces.col(i) += gradient;
    }
}

void CoulombTerm::add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const {
    const Eigen::VectorXd& q = charges.electrons;
    if (ewald_) ewald_->add_stress(atomic(q), strain_derivative);
    for (int i = 0; i < structure_.size(); ++i)
        for (const Neighbor& p : pairs_->of(i))
            strain_derivative += 0.5 * short_range_slope(p, i, q) / p.distance * p.r_ij * p.r_ij.transpose();
}

}  // namespace stembridge::tb

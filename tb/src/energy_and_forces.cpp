// SPDX-License-Identifier: Apache-2.0
// Energy, forces and stress of charges and density matrix.
#include <algorithm>

#include "engine.hpp"
#include "scc/charge_algebra.hpp"
#include "stembridge/base/timer.hpp"

namespace stembridge::tb {

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
    out.energy_bound = density_.energy_error + (options_.scc.enabled ? cycle.bound : 0);
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

}  // namespace stembridge::tb

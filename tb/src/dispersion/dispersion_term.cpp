// SPDX-License-Identifier: Apache-2.0
#include "dispersion/dispersion_term.hpp"

#include <algorithm>
#include <cmath>

namespace stembridge::tb {

void DispersionTerm::update(const Structure& structure, const Basis&, const Sites&) {
    constexpr double tolerance = 1e-12;  // hartree
    structure_ = structure;
    types_ = model_->assign(structure_);
    lattice_.reset();
    pairs_.reset();
    if (!structure_.cell.is_periodic()) return;
    const int n = model_->n_types();
    Eigen::MatrixXd c6(n, n);
    double range = 1;
    for (int a = 0; a < n; ++a)
        for (int b = 0; b < n; ++b) {
            c6(a, b) = model_->c6(a, b);
            range = std::max(range, model_->range(a, b, tolerance));
        }
    lattice_.emplace(structure_, types_, c6, tolerance);
    lattice_energy_ = -0.5 * lattice_->matrix().sum();
    pairs_.emplace(structure_, range);
}

template <class Visit>
void DispersionTerm::for_pairs(Visit visit) const {
    for (int i = 0; i < structure_.size(); ++i) {
        const int a = types_[static_cast<std::size_t>(i)];
        if (pairs_) {
            for (const Neighbor& p : pairs_->of(i)) {
                const int b = types_[static_cast<std::size_t>(p.j)];
                const auto [v, slope] = model_->energy(a, b, p.distance);
                const double far = model_->c6(a, b) / std::pow(p.distance, 6);
                visit(i, p.r_ij, v + far, slope - 6 * far / p.distance);
            }
        } else {
            for (int j = 0; j < structure_.size(); ++j) {
                if (j == i) continue;
                const Eigen::Vector3d r = structure_.positions.col(j) - structure_.positions.col(i);
                const auto [v, slope] = model_->energy(a, types_[static_cast<std::size_t>(j)], r.norm());
                visit(i, r, v, slope);
            }
        }
    }
}

double DispersionTerm::energy(const Charges&) const {
    double energy = lattice_ ? lattice_energy_ : 0;
    for_pairs([&](int, const Eigen::Vector3d&, double v, double) { energy += 0.5 * v; });
    return energy;
}

void DispersionTerm::add_forces(const Charges&, Eigen::Matrix3Xd& forces) const {
    if (lattice_) lattice_->add_forces(Eigen::VectorXd::Ones(structure_.size()), forces);
    for_pairs([&](int i, const Eigen::Vector3d& r, double, double slope) {
        forces.col(i) += slope * r.normalized();
    });
}

void DispersionTerm::add_stress(const Charges&, Eigen::Matrix3d& strain_derivative) const {
    if (lattice_) lattice_->add_stress(Eigen::VectorXd::Ones(structure_.size()), strain_derivative);
    for_pairs([&](int, const Eigen::Vector3d& r, double, double slope) {
        strain_derivative += 0.5 * slope / r.norm() * r * r.transpose();
    });
}

}  // namespace stembridge::tb

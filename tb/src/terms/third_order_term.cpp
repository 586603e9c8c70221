// SPDX-License-Identifier: Apache-2.0
#include "terms/third_order_term.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

const Gamma& ThirdOrderTerm::gamma(int i, int j) const {
    return gammas_[static_cast<std::size_t>(element_[static_cast<std::size_t>(i)]) * n_elements_ +
                   static_cast<std::size_t>(element_[static_cast<std::size_t>(j)])];
}

void ThirdOrderTerm::update(const Structure& structure, const Basis& basis, const Sites&) {
    const int n = basis.n_atoms();
    element_.clear();
    derivative_.resize(n);
    for (int i = 0; i < n; ++i) {
        const auto found = options_.hubbard_derivatives.find(basis.element(i).atomic_number);
        if (found == options_.hubbard_derivatives.end())
            throw InputError(
                fmt::format("third_order.hubbard_derivatives has no value for {}", basis.element(i).symbol));
        element_.push_back(basis.element_index(i));
        derivative_(i) = found->second;
    }
    // Gamma_aa = 1/2 dU_a/dq_a
    matrix_ = 0.5 * derivative_.asDiagonal().toDenseMatrix();
    pairs_.reset();
    if (options_.mode == ThirdOrder::diagonal) return;

    n_elements_ = basis.elements().size();
    gammas_.clear();
    double range = 1;
    for (const ElementData& a : basis.elements())
        for (const ElementData& b : basis.elements()) {
            const bool hydrogen = a.atomic_number == 1 || b.atomic_number == 1;
            gammas_.emplace_back(a.hubbard[0], b.hubbard[0],
                                 hydrogen ? options_.damping_exponent : std::nullopt);
            double r = gammas_.back().range(1e-12);
            while (std::abs(gammas_.back().hubbard_derivative(r)[0]) > 1e-12) r += 0.5;
            range = std::max(range, r);
        }
    pairs_.emplace(structure, range);
    // Gamma_ab = dgamma_ab/dU_a dU_a/dq_a, gamma = 1/R - S
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i)
        for (const Neighbor& p : pairs_->of(i))
            matrix_(i, p.j) -= derivative_(i) * gamma(i, p.j).hubbard_derivative(p.distance)[0];
}

double ThirdOrderTerm::energy(const Charges& charges) const {
    const Eigen::VectorXd& q = charges.electrons;
    return q.cwiseAbs2().dot(matrix_ * q) / 3;
}

void ThirdOrderTerm::add_potential(const Charges& charges, Charges& potential) const {
    // dE/dq_c = 1/3 [ 2 q_c sum_b Gamma_cb q_b + sum_a q_a^2 Gamma_ac ]
    const Eigen::VectorXd& q = charges.electrons;
    potential.electrons += (2 * q.cwiseProduct(matrix_ * q) + matrix_.transpose() * q.cwiseAbs2()) / 3;
}

double ThirdOrderTerm::slope(int i, const Neighbor& p, const Eigen::VectorXd& q) const {
    // d/dR of 1/3 (Gamma_ij q_i^2 q_j + Gamma_ji q_j^2 q_i)
    const double ij = -derivative_(i) * gamma(i, p.j).hubbard_derivative(p.distance)[1];
    const double ji = -derivative_(p.j) * gamma(p.j, i).hubbard_derivative(p.distance)[1];
    return q(i) * q(p.j) * (ij * q(i) + ji * q(p.j)) / 3;
}

void ThirdOrderTerm::add_forces(const Charges& charges, Eigen::Matrix3Xd& forces) const {
    if (!pairs_) return;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < pairs_->n_atoms(); ++i)
        for (const Neighbor& p : pairs_->of(i))
            forces.col(i) += slope(i, p, charges.electrons) / p.distance * p.r_ij;
}

void ThirdOrderTerm::add_stress(const Charges& charges, Eigen::Matrix3d& strain_derivative) const {
    if (!pairs_) return;
    for (int i = 0; i < pairs_->n_atoms(); ++i)
        for (const Neighbor& p : pairs_->of(i))
            strain_derivative +=
                0.5 * slope(i, p, charges.electrons) / p.distance * p.r_ij * p.r_ij.transpose();
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "dispersion/inverse_sixth_sum.hpp"

#include <cmath>
#include <complex>

#include "coulomb/reciprocal.hpp"

namespace stembridge::tb {
namespace {
const double root_pi = std::sqrt(M_PI);
}

InverseSixthSum::InverseSixthSum(const Structure& structure, std::vector<int> types, Eigen::MatrixXd c6,
                                 double tolerance)
    : structure_(structure), types_(std::move(types)), c6_(std::move(c6)), volume_(structure.cell.volume()) {
    const double x = std::sqrt(-std::log(tolerance * 1e-4));
    alpha_ = root_pi * std::pow(structure.size() / (volume_ * volume_), 1.0 / 6);
    real_cutoff_ = x / alpha_;
    g_ = half_sphere(structure.cell, 2 * alpha_ * x);
    weight_.resize(g_.cols());
    weight_slope_.resize(g_.cols());
    for (Eigen::Index k = 0; k < g_.cols(); ++k) {
        // f = pi^(3/2) / 12 G^3 [ sqrt(pi) erfc(b) + (1 / 2b^3 - 1 / b) exp(-b^2) ],  b = G / 2 alpha
        const double g = g_.col(k).norm(), b = g / (2 * alpha_), e = std::exp(-b * b),
                     c = root_pi * std::erfc(b);
        weight_(k) = M_PI * root_pi / 12 * g * g * g * (c + (0.5 / (b * b * b) - 1 / b) * e) / volume_;
        weight_slope_(k) = -M_PI * root_pi / 8 * g * (e / b - c) / volume_;
    }
    // G = 0: pi^(3/2) alpha^3 / 3
    for (const int a : types_)
        for (const int b : types_) sum_at_zero_ += c6_(a, b);
    sum_at_zero_ *= M_PI * root_pi * alpha_ * alpha_ * alpha_ / (3 * volume_);
}

std::array<double, 2> InverseSixthSum::real_part(double r) const {
    const double a = alpha_ * r, a2 = a * a, r6 = std::pow(r, 6), e = std::exp(-a2);
    const double value = e * (1 + a2 + a2 * a2 / 2) / r6;
    return {value, -6 * value / r - e * alpha_ * a * a2 * a2 / r6};
}

Eigen::MatrixXcd InverseSixthSum::structure_factors() const {
    const Eigen::MatrixXd phase = g_.transpose() * structure_.positions;
    Eigen::MatrixXcd s = Eigen::MatrixXcd::Zero(c6_.rows(), g_.cols());
    for (int i = 0; i < structure_.size(); ++i)
        for (Eigen::Index k = 0; k < g_.cols(); ++k)
            s(types_[static_cast<std::size_t>(i)], k) += std::polar(1.0, phase(k, i));
    return s;
}

double InverseSixthSum::energy() const {
    double energy = -0.5 * sum_at_zero_;
    const NeighborList pairs(structure_, real_cutoff_);
    for (int i = 0; i < structure_.size(); ++i) {
        energy += std::pow(alpha_, 6) / 12 * c6(i, i);
        for (const Neighbor& p : pairs.of(i)) energy -= 0.5 * c6(i, p.j) * real_part(p.distance)[0];
    }
    const Eigen::MatrixXcd s = structure_factors();
    for (Eigen::Index k = 0; k < g_.cols(); ++k) energy -= weight_(k) * (s.col(k).dot(c6_ * s.col(k))).real();
    return energy;
}

void InverseSixthSum::add_forces(Eigen::Matrix3Xd& forces) const {
    const NeighborList pairs(structure_, real_cutoff_);
    const Eigen::MatrixXcd a = c6_ * structure_factors();
    const Eigen::MatrixXd phase = g_.transpose() * structure_.positions;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < structure_.size(); ++i) {
        for (const Neighbor& p : pairs.of(i))
            forces.col(i) -= c6(i, p.j) * real_part(p.distance)[1] / p.distance * p.r_ij;
        for (Eigen::Index k = 0; k < g_.cols(); ++k) {
            const double im =
                (std::polar(1.0, -phase(k, i)) * a(types_[static_cast<std::size_t>(i)], k)).imag();
            forces.col(i) += 2 * weight_(k) * im * g_.col(k);
        }
    }
}

void InverseSixthSum::add_stress(Eigen::Matrix3d& strain) const {
    const NeighborList pairs(structure_, real_cutoff_);
    for (int i = 0; i < structure_.size(); ++i)
        for (const Neighbor& p : pairs.of(i))
            strain -= 0.5 * c6(i, p.j) * real_part(p.distance)[1] / p.distance * p.r_ij * p.r_ij.transpose();
    strain += 0.5 * sum_at_zero_ * Eigen::Matrix3d::Identity();
    const Eigen::MatrixXcd s = structure_factors();
    for (Eigen::Index k = 0; k < g_.cols(); ++k) {
        const Eigen::Vector3d g = g_.col(k);
        const double product = (s.col(k).dot(c6_ * s.col(k))).real();
        strain +=
            product * (weight_(k) * Eigen::Matrix3d::Identity() + 2 * weight_slope_(k) * g * g.transpose());
    }
}

}  // namespace stembridge::tb

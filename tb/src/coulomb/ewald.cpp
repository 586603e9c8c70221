// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/ewald.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "coulomb/reciprocal.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {
namespace {

/// x with exp(-x^2) = tolerance.
double decay_length(double tolerance) {
    return std::sqrt(-std::log(tolerance));
}

}  // namespace

Ewald::Ewald(const Structure& structure, double tolerance)
    : structure_(structure), volume_(structure.cell.volume()) {
    if (!structure.cell.is_fully_periodic() || volume_ < 1e-6)
        throw InputError("the Ewald sum needs a cell that is periodic in three independent directions");
    // The splitting that gives both sums about the same number of terms; both are cut where their terms fall
    // below the tolerance.
    const double x = decay_length(tolerance * 1e-2);
    alpha_ = std::sqrt(M_PI) * std::pow(structure.size() / (volume_ * volume_), 1.0 / 6);
    real_cutoff_ = x / alpha_;
    g_ = half_sphere(structure.cell, 2 * alpha_ * x);
    const Eigen::ArrayXd g2 = g_.colwise().squaredNorm().transpose();
    g_weight_ = 8 * M_PI / volume_ * (-g2 / (4 * alpha_ * alpha_)).exp() / g2;
}

Eigen::MatrixXd Ewald::matrix() const {
    const int n = structure_.size();
    Eigen::MatrixXd j(n, n);
    // Background and the charge's own Gaussian: -pi / (V alpha^2) - delta_ij 2 alpha / sqrt(pi)
    j.setConstant(-M_PI / (volume_ * alpha_ * alpha_));
    j.diagonal().array() -= 2 * alpha_ / std::sqrt(M_PI);
    // Reciprocal: sum_G w_G cos(G (r_i - r_j)), as products of cosines and sines, some vectors at a time.
    constexpr Eigen::Index chunk = 256;
    for (Eigen::Index first = 0; first < g_.cols(); first += chunk) {
        const Eigen::Index count = std::min(chunk, g_.cols() - first);
        const Eigen::MatrixXd phase = structure_.positions.transpose() * g_.middleCols(first, count);
        const Eigen::RowVectorXd root = g_weight_.segment(first, count).cwiseSqrt().transpose();
        Eigen::MatrixXd waves(n, 2 * count);
        waves.leftCols(count) = phase.array().cos().matrix() * root.asDiagonal();
        waves.rightCols(count) = phase.array().sin().matrix() * root.asDiagonal();
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, static_cast<int>(waves.cols()), 1.0,
                    waves.data(), n, 1.0, j.data(), n);
    }
    j.triangularView<Eigen::StrictlyUpper>() = j.transpose();
    // Real: sum_T erfc(alpha r) / r
    const NeighborList pairs(structure_, real_cutoff_);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i)
        for (const Neighbor& p : pairs.of(i)) j(p.j, i) += std::erfc(alpha_ * p.distance) / p.distance;
    return j;
}

void Ewald::add_forces(const Eigen::VectorXd& q, Eigen::Matrix3Xd& forces) const {
    const int n = structure_.size();
    const NeighborList pairs(structure_, real_cutoff_);
    const Eigen::MatrixXd phase = g_.transpose() * structure_.positions;  // (G, atoms)
    Eigen::VectorXcd s = Eigen::VectorXcd::Zero(g_.cols());               // sum_j q_j exp(i G r_j)
    const std::complex<double> unit(0, 1);
    for (int j = 0; j < n; ++j) s += q(j) * (unit * phase.col(j).array()).exp().matrix();
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i) {
        Eigen::Vector3d f = Eigen::Vector3d::Zero();
        for (const Neighbor& p : pairs.of(i)) {
            const double x = alpha_ * p.distance, r = p.distance;
            const double slope =
                -std::erfc(x) / (r * r) - 2 * alpha_ / std::sqrt(M_PI) * std::exp(-x * x) / r;
            f += q(p.j) * slope / r * p.r_ij;
        }
        // -d/dr_i sum_G w_G |S|^2 / 2 = -q_i sum_G w_G G Im(exp(-i G r_i) S) ...
        for (Eigen::Index g = 0; g < g_.cols(); ++g) {
            const double im = std::cos(phase(g, i)) * s(g).imag() - std::sin(phase(g, i)) * s(g).real();
            f -= g_weight_(g) * im * g_.col(g);
        }
        forces.col(i) += q(i) * f;
    }
}

void Ewald::add_stress(const Eigen::VectorXd& q, Eigen::Matrix3d& strain_derivative) const {
    const int n = structure_.size();
    const NeighborList pairs(structure_, real_cutoff_);
    std::vector<Eigen::Matrix3d> of_atom(static_cast<std::size_t>(n), Eigen::Matrix3d::Zero());
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i)
        for (const Neighbor& p : pairs.of(i)) {
            const double x = alpha_ * p.distance, r = p.distance;
            const double slope =
                -std::erfc(x) / (r * r) - 2 * alpha_ / std::sqrt(M_PI) * std::exp(-x * x) / r;
            of_atom[static_cast<std::size_t>(i)] +=
                0.5 * q(i) * q(p.j) * slope / r * p.r_ij * p.r_ij.transpose();
        }
    for (const Eigen::Matrix3d& m : of_atom) strain_derivative += m;
    // sum_G w |S|^2 / 2 (-1 + (2 / G^2 + 1 / 2 alpha^2) G G)
    const Eigen::MatrixXd phase = g_.transpose() * structure_.positions;
    const Eigen::VectorXd re = phase.array().cos().matrix() * q, im = phase.array().sin().matrix() * q;
    for (Eigen::Index k = 0; k < g_.cols(); ++k) {
        const Eigen::Vector3d g = g_.col(k);
        const double e = 0.5 * g_weight_(k) * (re(k) * re(k) + im(k) * im(k));
        strain_derivative += e * ((2 / g.squaredNorm() + 1 / (2 * alpha_ * alpha_)) * g * g.transpose() -
                                  Eigen::Matrix3d::Identity());
    }
    // Background: -pi Q^2 / (2 V alpha^2)
    const double total = q.sum();
    strain_derivative += M_PI * total * total / (2 * volume_ * alpha_ * alpha_) * Eigen::Matrix3d::Identity();
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "dispersion/inverse_sixth_sum.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <complex>

namespace stembridge::tb {
namespace {

const double root_pi = std::sqrt(M_PI);

/// Integral of s^n exp(-u s) from 0 to 1.
double power_integral(int n, double u) {
    if (u > 1) {
        // [ n! - exp(-u) sum_k n! / k! u^k ] / u^(n + 1)
        double factorial = 1, term = 1, sum = 1;
        for (int k = 1; k <= n; ++k) {
            factorial *= k;
            term *= u / k;
            sum += term;
        }
        return factorial * (1 - std::exp(-u) * sum) / std::pow(u, n + 1);
    }
    double sum = 0, term = 1;
    for (int k = 0; k < 25; ++k) {
        sum += term / (n + 1 + k);
        term *= -u / (k + 1);
    }
    return sum;
}

}  // namespace

InverseSixthSum::InverseSixthSum(const Structure& structure, std::vector<int> types, Eigen::MatrixXd c6,
                                 double tolerance)
    : structure_(structure), types_(std::move(types)), c6_(std::move(c6)) {
    if (!structure.cell.is_periodic()) return;
    const auto& repeats = structure.cell.periodic;
    if (std::count(repeats.begin(), repeats.end(), true) == 1) {
        const auto direction = std::find(repeats.begin(), repeats.end(), true) - repeats.begin();
        axis_ = structure.cell.vector(static_cast<int>(direction));
        // Beyond N images an atom has less than 1/2 n C6 2 int_(N L)^inf dx / (L x^6) = n C6 / (5 L^6 N^5).
        const double l = axis_.norm(), most = structure.size() * c6_.maxCoeff() / (5 * tolerance);
        n_images_ = 1 + static_cast<int>(std::ceil(std::pow(most / std::pow(l, 6), 0.2)));
        return;
    }
    const double x = std::sqrt(-std::log(tolerance * 1e-4));
    alpha_ = balanced_splitting(structure);
    real_cutoff_ = x / alpha_;
    waves_ = lattice_waves(structure, alpha_, x);
    height_ = waves_.normal.transpose() * structure.positions;
    weight_.resize(waves_.g.cols());
    weight_slope_.resize(waves_.g.cols());
    for (Eigen::Index k = 0; k < waves_.g.cols(); ++k) {
        // f = pi^(3/2) / 12 g^3 [ sqrt(pi) erfc(b) + (1 / 2b^3 - 1 / b) exp(-b^2) ],  b = g / 2 alpha
        const double g = waves_.g.col(k).norm(), b = g / (2 * alpha_), e = std::exp(-b * b),
                     c = root_pi * std::erfc(b);
        weight_(k) =
            M_PI * root_pi / 12 * g * g * g * (c + (0.5 / (b * b * b) - 1 / b) * e) * waves_.measure(k);
        weight_slope_(k) = -M_PI * root_pi / 8 * g * (e / b - c) * waves_.measure(k);
    }
}

std::array<double, 2> InverseSixthSum::real_part(double r) const {
    const double a = alpha_ * r, a2 = a * a, r6 = std::pow(r, 6), e = std::exp(-a2);
    const double value = e * (1 + a2 + a2 * a2 / 2) / r6;
    return {value, -6 * value / r - e * alpha_ * a * a2 * a2 / r6};
}

std::array<double, 2> InverseSixthSum::at_zero(double z) const {
    const double a2 = alpha_ * alpha_;
    // Crystal: pi^(3/2) alpha^3 / 3V
    if (!waves_.is_sheet()) return {M_PI * root_pi * alpha_ * a2 / (3 * waves_.size), 0};
    // Sheet: pi / 2A int_0^(alpha^2) t exp(-z^2 t) dt
    return {M_PI / (2 * waves_.size) * a2 * a2 * power_integral(1, a2 * z * z),
            -M_PI * z / waves_.size * a2 * a2 * a2 * power_integral(2, a2 * z * z)};
}

std::optional<NeighborList> InverseSixthSum::near_pairs() const {
    if (!is_split()) return std::nullopt;
    return NeighborList(structure_, real_cutoff_);
}

template <class Visit>
void InverseSixthSum::for_near(const std::optional<NeighborList>& pairs, int i, Visit visit) const {
    if (pairs) {
        for (const Neighbor& p : pairs->of(i)) visit(p.j, p.r_ij);
    } else {
        for (int j = 0; j < structure_.size(); ++j) {
            const Eigen::Vector3d r = structure_.positions.col(j) - structure_.positions.col(i);
            const double nearest = n_images_ == 0 ? 0 : -std::round(r.dot(axis_) / axis_.squaredNorm());
            for (int k = -n_images_; k <= n_images_; ++k)
                if (j != i || k != 0) visit(j, Eigen::Vector3d(r + (nearest + k) * axis_));
        }
    }
}

Eigen::MatrixXcd InverseSixthSum::structure_factors(const Eigen::VectorXd& w) const {
    const Eigen::MatrixXd phase = waves_.g.transpose() * structure_.positions;
    Eigen::MatrixXcd s = Eigen::MatrixXcd::Zero(c6_.rows(), waves_.g.cols());
    for (int i = 0; i < structure_.size(); ++i)
        for (Eigen::Index k = 0; k < waves_.g.cols(); ++k)
            s(types_[static_cast<std::size_t>(i)], k) += w(i) * std::polar(1.0, phase(k, i));
    return s;
}

Eigen::MatrixXd InverseSixthSum::matrix() const {
    const int n = structure_.size();
    Eigen::MatrixXd m = Eigen::MatrixXd::Zero(n, n);
    // Waves: 2 sum_g weight cos(g (r_i - r_j)), as products of cosines and sines, some vectors at a time.
    constexpr Eigen::Index chunk = 256;
    for (Eigen::Index first = 0; first < waves_.g.cols(); first += chunk) {
        const Eigen::Index count = std::min(chunk, waves_.g.cols() - first);
        const Eigen::MatrixXd phase = structure_.positions.transpose() * waves_.g.middleCols(first, count);
        const Eigen::RowVectorXd root =
            (2 * weight_.segment(first, count)).cwiseMax(0).cwiseSqrt().transpose();
        Eigen::MatrixXd waves(n, 2 * count);
        waves.leftCols(count) = phase.array().cos().matrix() * root.asDiagonal();
        waves.rightCols(count) = phase.array().sin().matrix() * root.asDiagonal();
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, static_cast<int>(waves.cols()), 1.0,
                    waves.data(), n, 1.0, m.data(), n);
    }
    m.triangularView<Eigen::StrictlyUpper>() = m.transpose();
    const auto pairs = near_pairs();
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i) {
        if (is_split()) {
            for (int j = 0; j < n; ++j) m(j, i) += at_zero(height_(j) - height_(i))[0];
            m(i, i) -= std::pow(alpha_, 6) / 6;
        }
        for_near(pairs, i, [&](int j, const Eigen::Vector3d& r) { m(j, i) += real_part(r.norm())[0]; });
        for (int j = 0; j < n; ++j) m(j, i) *= c6(i, j);
    }
    return m;
}

Eigen::Matrix3Xd InverseSixthSum::smooth_forces(const Eigen::VectorXd& w) const {
    const Eigen::MatrixXcd a = c6_ * structure_factors(w);
    const Eigen::MatrixXd phase = waves_.g.transpose() * structure_.positions;
    Eigen::Matrix3Xd forces = Eigen::Matrix3Xd::Zero(3, structure_.size());
#pragma omp parallel for schedule(static)
    for (int i = 0; i < structure_.size(); ++i) {
        for (Eigen::Index k = 0; k < waves_.g.cols(); ++k) {
            const double im =
                (std::polar(1.0, -phase(k, i)) * a(types_[static_cast<std::size_t>(i)], k)).imag();
            forces.col(i) += 2 * w(i) * weight_(k) * im * waves_.g.col(k);
        }
        if (waves_.is_sheet())
            for (int j = 0; j < structure_.size(); ++j)
                forces.col(i) += w(i) * w(j) * c6(i, j) * at_zero(height_(i) - height_(j))[1] * waves_.normal;
    }
    return forces;
}

void InverseSixthSum::add_forces(const Eigen::VectorXd& w, Eigen::Matrix3Xd& forces) const {
    if (is_split()) forces += smooth_forces(w);
    const auto pairs = near_pairs();
#pragma omp parallel for schedule(static)
    for (int i = 0; i < structure_.size(); ++i)
        for_near(pairs, i, [&](int j, const Eigen::Vector3d& r) {
            const double distance = r.norm();
            forces.col(i) -= w(i) * w(j) * c6(i, j) * real_part(distance)[1] / distance * r;
        });
}

void InverseSixthSum::add_stress(const Eigen::VectorXd& w, Eigen::Matrix3d& strain) const {
    const auto pairs = near_pairs();
    for (int i = 0; i < structure_.size(); ++i)
        for_near(pairs, i, [&](int j, const Eigen::Vector3d& r) {
            const double distance = r.norm();
            strain -= 0.5 * w(i) * w(j) * c6(i, j) * real_part(distance)[1] / distance * r * r.transpose();
        });
    if (!is_split()) return;
    Eigen::Matrix3d smooth = Eigen::Matrix3d::Zero();
    const Eigen::MatrixXcd s = structure_factors(w);
    for (Eigen::Index k = 0; k < waves_.g.cols(); ++k) {
        const Eigen::Vector3d g = waves_.g.col(k);
        const double product = (s.col(k).dot(c6_ * s.col(k))).real();
        smooth +=
            product * (weight_(k) * Eigen::Matrix3d::Identity() + 2 * weight_slope_(k) * g * g.transpose());
    }
    // G = 0 falls with the inverse of the volume or area.
    for (int i = 0; i < structure_.size(); ++i)
        for (int j = 0; j < structure_.size(); ++j)
            smooth += 0.5 * w(i) * w(j) * c6(i, j) * at_zero(height_(i) - height_(j))[0] *
                      Eigen::Matrix3d::Identity();
    strain +=
        waves_.is_sheet() ? waves_.strain_derivative(smooth, structure_.positions, smooth_forces(w)) : smooth;
}

}  // namespace stembridge::tb

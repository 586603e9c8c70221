// SPDX-License-Identifier: Apache-2.0
#include "coulomb/ewald.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "coulomb/reciprocal.hpp"
#include "stembridge/structure/neighbor_list.hpp"

namespace stembridge::tb {

/// What the sums of one structure have in common.
class Ewald::Sum {
  public:
    Sum(const Structure& structure, double tolerance);

    Eigen::MatrixXd matrix() const;
    void add_forces(const Eigen::VectorXd& q, Eigen::Matrix3Xd& forces) const;
    void add_stress(const Eigen::VectorXd& q, Eigen::Matrix3d& strain_derivative) const;

  private:
    /// The part of G = 0 at a height and its derivative: the uniform background of a crystal, a Gaussian
    /// layer of charge in a sheet.
    std::array<double, 2> at_zero(double z) const;
    /// d/dR of erfc(alpha R) / R.
    double real_slope(double r) const;
    /// Forces of the sum over waves and of G = 0.
    Eigen::Matrix3Xd smooth_forces(const Eigen::VectorXd& q) const;

    Structure structure_;
    double alpha_;
    NeighborList pairs_;  ///< of the sum in real space
    Waves waves_;
    Eigen::RowVectorXd height_;  ///< of the atoms along the normal
    Eigen::VectorXd weight_;     ///< 2 measure 4 pi exp(-g^2 / 4 alpha^2) / g^2
};

namespace {

/// Both sums are cut where their terms fall below the tolerance: exp(-x^2) = tolerance.
double last_exponent_root(double tolerance) {
    return std::sqrt(-std::log(tolerance * 1e-2));
}

}  // namespace

Ewald::Sum::Sum(const Structure& structure, double tolerance)
    : structure_(structure),
      alpha_(balanced_splitting(structure)),
      pairs_(structure, last_exponent_root(tolerance) / alpha_) {
    const double x = last_exponent_root(tolerance);
    waves_ = lattice_waves(structure, alpha_, x);
    height_ = waves_.normal.transpose() * structure.positions;
    const Eigen::ArrayXd g2 = waves_.g.colwise().squaredNorm().transpose();
    weight_ = 8 * M_PI * waves_.measure.array() * (-g2 / (4 * alpha_ * alpha_)).exp() / g2;
}

std::array<double, 2> Ewald::Sum::at_zero(double z) const {
    // Crystal: -pi / (V alpha^2)
    if (!waves_.is_sheet()) return {-M_PI / (waves_.size * alpha_ * alpha_), 0};
    // Sheet: -2 pi / A [ z erf(alpha z) + exp(-alpha^2 z^2) / (alpha sqrt(pi)) ]
    const double a = alpha_ * z;
    return {-2 * M_PI / waves_.size * (z * std::erf(a) + std::exp(-a * a) / (alpha_ * std::sqrt(M_PI))),
            -2 * M_PI / waves_.size * std::erf(a)};
}

double Ewald::Sum::real_slope(double r) const {
    const double x = alpha_ * r;
    return -std::erfc(x) / (r * r) - 2 * alpha_ / std::sqrt(M_PI) * std::exp(-x * x) / r;
}

Eigen::MatrixXd Ewald::Sum::matrix() const {
    const int n = structure_.size();
    Eigen::MatrixXd j = Eigen::MatrixXd::Zero(n, n);
    // Waves: sum_g w_g cos(g (r_i - r_j)), as products of cosines and sines, some vectors at a time.
    constexpr Eigen::Index chunk = 256;
    for (Eigen::Index first = 0; first < waves_.g.cols(); first += chunk) {
        const Eigen::Index count = std::min(chunk, waves_.g.cols() - first);
        const Eigen::MatrixXd phase = structure_.positions.transpose() * waves_.g.middleCols(first, count);
        const Eigen::RowVectorXd root = weight_.segment(first, count).cwiseSqrt().transpose();
        Eigen::MatrixXd waves(n, 2 * count);
        waves.leftCols(count) = phase.array().cos().matrix() * root.asDiagonal();
        waves.rightCols(count) = phase.array().sin().matrix() * root.asDiagonal();
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, static_cast<int>(waves.cols()), 1.0,
                    waves.data(), n, 1.0, j.data(), n);
    }
    j.triangularView<Eigen::StrictlyUpper>() = j.transpose();
    // Real: sum_T erfc(alpha r) / r; the charge's own Gaussian: -2 alpha / sqrt(pi)
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i) {
        for (int k = 0; k < n; ++k) j(k, i) += at_zero(height_(k) - height_(i))[0];
        j(i, i) -= 2 * alpha_ / std::sqrt(M_PI);
        for (const Neighbor& p : pairs_.of(i)) j(p.j, i) += std::erfc(alpha_ * p.distance) / p.distance;
    }
    return j;
}

Eigen::Matrix3Xd Ewald::Sum::smooth_forces(const Eigen::VectorXd& q) const {
    const int n = structure_.size();
    const Eigen::MatrixXd phase = waves_.g.transpose() * structure_.positions;  // (g, atoms)
    Eigen::VectorXcd s = Eigen::VectorXcd::Zero(waves_.g.cols());               // sum_j q_j exp(i g r_j)
    const std::complex<double> unit(0, 1);
    for (int j = 0; j < n; ++j) s += q(j) * (unit * phase.col(j).array()).exp().matrix();
    Eigen::Matrix3Xd forces = Eigen::Matrix3Xd::Zero(3, n);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i) {
        Eigen::Vector3d f = Eigen::Vector3d::Zero();
        // -d/dr_i sum_g w_g |S|^2 / 2 = -q_i sum_g w_g g Im(exp(-i g r_i) S) ...
        for (Eigen::Index k = 0; k < waves_.g.cols(); ++k) {
            const double im = std::cos(phase(k, i)) * s(k).imag() - std::sin(phase(k, i)) * s(k).real();
            f -= weight_(k) * im * waves_.g.col(k);
        }
        if (waves_.is_sheet())
            for (int j = 0; j < n; ++j) f -= q(j) * at_zero(height_(i) - height_(j))[1] * waves_.normal;
        forces.col(i) = q(i) * f;
    }
    return forces;
}

void Ewald::Sum::add_forces(const Eigen::VectorXd& q, Eigen::Matrix3Xd& forces) const {
    forces += smooth_forces(q);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < structure_.size(); ++i)
        for (const Neighbor& p : pairs_.of(i))
            forces.col(i) += q(i) * q(p.j) * real_slope(p.distance) / p.distance * p.r_ij;
}

void Ewald::Sum::add_stress(const Eigen::VectorXd& q, Eigen::Matrix3d& strain_derivative) const {
    const int n = structure_.size();
    std::vector<Eigen::Matrix3d> of_atom(static_cast<std::size_t>(n), Eigen::Matrix3d::Zero());
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; ++i)
        for (const Neighbor& p : pairs_.of(i))
            of_atom[static_cast<std::size_t>(i)] +=
                0.5 * q(i) * q(p.j) * real_slope(p.distance) / p.distance * p.r_ij * p.r_ij.transpose();
    for (const Eigen::Matrix3d& m : of_atom) strain_derivative += m;
    // sum_g w |S|^2 / 2 (-1 + (2 / g^2 + 1 / 2 alpha^2) g g)
    Eigen::Matrix3d smooth = Eigen::Matrix3d::Zero();
    const Eigen::MatrixXd phase = waves_.g.transpose() * structure_.positions;
    const Eigen::VectorXd re = phase.array().cos().matrix() * q, im = phase.array().sin().matrix() * q;
    for (Eigen::Index k = 0; k < waves_.g.cols(); ++k) {
        const Eigen::Vector3d g = waves_.g.col(k);
        const double e = 0.5 * weight_(k) * (re(k) * re(k) + im(k) * im(k));
        smooth += e * ((2 / g.squaredNorm() + 1 / (2 * alpha_ * alpha_)) * g * g.transpose() -
                       Eigen::Matrix3d::Identity());
    }
    // G = 0 falls with the inverse of the volume or area.
    double zero = 0;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) zero += 0.5 * q(i) * q(j) * at_zero(height_(i) - height_(j))[0];
    smooth -= zero * Eigen::Matrix3d::Identity();
    strain_derivative +=
        waves_.is_sheet() ? waves_.strain_derivative(smooth, structure_.positions, smooth_forces(q)) : smooth;
}

Ewald::Ewald(const Structure& structure, double tolerance)
    : sum_(std::make_unique<Sum>(structure, tolerance)) {}
Ewald::~Ewald() = default;
Ewald::Ewald(Ewald&&) noexcept = default;
Ewald& Ewald::operator=(Ewald&&) noexcept = default;

Eigen::MatrixXd Ewald::matrix() const {
    return sum_->matrix();
}
void Ewald::add_forces(const Eigen::VectorXd& q, Eigen::Matrix3Xd& forces) const {
    sum_->add_forces(q, forces);
}
void Ewald::add_stress(const Eigen::VectorXd& q, Eigen::Matrix3d& strain_derivative) const {
    sum_->add_stress(q, strain_derivative);
}

}  // namespace stembridge::tb

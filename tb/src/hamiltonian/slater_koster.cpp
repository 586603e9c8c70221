// SPDX-License-Identifier: Apache-2.0
// The Slater-Koster table written with vectors: a p function along u is u itself; the five d functions along
// u are q_k = u^T T_k u; two of them with one lobe pair along v in the plane of u: (2 / sqrt 3) u^T T_k v.
// Sums over the directions v perpendicular to u are I - u u^T.
#include "hamiltonian/slater_koster.hpp"

#include <array>
#include <cmath>
#include <stdexcept>

namespace stembridge::tb {
namespace {

using Vector5d = Eigen::Matrix<double, 5, 1>;
using Matrix35d = Eigen::Matrix<double, 3, 5>;
using Matrix5d = Eigen::Matrix<double, 5, 5>;

const double pi_factor = 2 / std::sqrt(3.0);

/// T_k of xy, yz, z2, xz, x2-y2.
const std::array<Eigen::Matrix3d, 5>& d_tensors() {
    static const std::array<Eigen::Matrix3d, 5> tensors = [] {
        const double h = std::sqrt(3.0) / 2;
        std::array<Eigen::Matrix3d, 5> t;
        t[0] << 0, h, 0, h, 0, 0, 0, 0, 0;
        t[1] << 0, 0, 0, 0, 0, h, 0, h, 0;
        t[2] << -0.5, 0, 0, 0, -0.5, 0, 0, 0, 1;
        t[3] << 0, 0, h, 0, 0, 0, h, 0, 0;
        t[4] << h, 0, 0, 0, -h, 0, 0, 0, 0;
        return t;
    }();
    return tensors;
}

/// Columns T_k u.
Matrix35d d_gradients(const Eigen::Vector3d& u) {
    Matrix35d g;
    for (int k = 0; k < 5; ++k) g.col(k) = d_tensors()[static_cast<std::size_t>(k)] * u;
    return g;
}

}  // namespace

void slater_koster_block(int l1, int l2, const Eigen::Vector3d& u, const double* v, OrbitalBlock block) {
    if (l2 == 0) {
        block(0, 0) = v[0];
    } else if (l2 == 1 && l1 == 0) {
        block = v[0] * u.transpose();
    } else if (l2 == 1) {
        // sigma u u^T + pi (I - u u^T)
        block = (v[0] - v[1]) * u * u.transpose() + v[1] * Eigen::Matrix3d::Identity();
    } else if (l2 == 2) {
        const Matrix35d g = d_gradients(u);
        const Vector5d q = g.transpose() * u;
        if (l1 == 0) {
            block = v[0] * q.transpose();
        } else if (l1 == 1) {
            // sigma u_a q_k + pi (2 / sqrt 3) [ (T_k u)_a - u_a q_k ]
            block = (v[0] - pi_factor * v[1]) * u * q.transpose() + pi_factor * v[1] * g;
        } else {
            // sigma q q^T + pi P + delta (I - q q^T - P),  P_kl = 4/3 [ (T_k u).(T_l u) - q_k q_l ]
            const Matrix5d sigma = q * q.transpose();
            const Matrix5d pi = 4.0 / 3.0 * (g.transpose() * g - sigma);
            block = v[0] * sigma + v[1] * pi + v[2] * (Matrix5d::Identity() - sigma - pi);
        }
    } else {
        throw std::logic_error("slater_koster_block: shells must be ordered and at most d");
    }
}

SlaterKosterContraction slater_koster_contraction(int l1, int l2, const Eigen::Vector3d& u,
                                                  const ConstOrbitalBlock& a) {
    SlaterKosterContraction c;
    if (l2 == 0) {
        c.k(0) = a(0, 0);
    } else if (l2 == 1 && l1 == 0) {
        c.k(0) = a.row(0).dot(u);
        c.gradient.col(0) = a.row(0).transpose();
    } else if (l2 == 1) {
        const Eigen::Matrix3d m = a;
        c.k(0) = u.dot(m * u);
        c.gradient.col(0) = m * u + m.transpose() * u;
        c.k(1) = m.trace() - c.k(0);
        c.gradient.col(1) = -c.gradient.col(0);
    } else {
        const Matrix35d g = d_gradients(u);
        const Vector5d q = g.transpose() * u;
        if (l1 == 0) {
            const Vector5d w = a.row(0).transpose();
            c.k(0) = w.dot(q);
            c.gradient.col(0) = 2 * g * w;
        } else if (l1 == 1) {
            const Matrix35d m = a;
            const Eigen::Vector3d mq = m * q;
            const Vector5d mu = m.transpose() * u;
            c.k(0) = u.dot(mq);
            c.gradient.col(0) = mq + 2 * g * mu;
            double inner = 0;
            Eigen::Vector3d inner_gradient = Eigen::Vector3d::Zero();
            for (int k = 0; k < 5; ++k) {
                inner += m.col(k).dot(g.col(k));
                inner_gradient += d_tensors()[static_cast<std::size_t>(k)] * m.col(k);
            }
            c.k(1) = pi_factor * (inner - c.k(0));
            c.gradient.col(1) = pi_factor * (inner_gradient - c.gradient.col(0));
        } else {
            const Matrix5d m = a, symmetric = m + m.transpose();
            const Vector5d mq = symmetric * q;
            c.k(0) = 0.5 * q.dot(mq);
            c.gradient.col(0) = 2 * g * mq;
            // sum_kl m_kl (T_k u).(T_l u)
            const Matrix35d gm = g * symmetric;
            double inner = 0;
            Eigen::Vector3d inner_gradient = Eigen::Vector3d::Zero();
            for (int k = 0; k < 5; ++k) {
                inner += 0.5 * gm.col(k).dot(g.col(k));
                inner_gradient += d_tensors()[static_cast<std::size_t>(k)] * gm.col(k);
            }
            c.k(1) = 4.0 / 3.0 * (inner - c.k(0));
            c.gradient.col(1) = 4.0 / 3.0 * (inner_gradient - c.gradient.col(0));
            c.k(2) = m.trace() - c.k(0) - c.k(1);
            c.gradient.col(2) = -c.gradient.col(0) - c.gradient.col(1);
        }
    }
    return c;
}

}  // namespace stembridge::tb

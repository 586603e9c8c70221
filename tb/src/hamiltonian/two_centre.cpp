// SPDX-License-Identifier: Apache-2.0
#include "hamiltonian/two_centre.hpp"

#include <algorithm>

namespace stembridge::tb {
namespace {

/// The columns (H then S) of the shell pairs l1 <= l2 (or l1 < l2) of one file.
RadialTable columns_of(const SkfTable& table, int n_shells_1, int n_shells_2, bool with_equal) {
    std::vector<double> values;
    int n_columns = 0;
    for (int row = 1; row <= table.n_rows; ++row) {
        n_columns = 0;
        for (int l1 = 0; l1 < n_shells_1; ++l1)
            for (int l2 = with_equal ? l1 : l1 + 1; l2 < n_shells_2; ++l2) {
                for (int m = 0; m <= l1; ++m) values.push_back(table.hamiltonian(row, l1, l2, m));
                for (int m = 0; m <= l1; ++m) values.push_back(table.overlap(row, l1, l2, m));
                n_columns += 2 * (l1 + 1);
            }
    }
    return RadialTable(table.spacing, n_columns, std::move(values));
}

}  // namespace

TwoCentre::TwoCentre(const ElementData& a, const ElementData& b, const SkfTable& ab, const SkfTable& ba)
    : ab_(columns_of(ab, a.n_shells, b.n_shells, true)),
      ba_(columns_of(ba, b.n_shells, a.n_shells, false)),
      closest_(std::max(ab.first_distance(), ba.first_distance())) {
    int next = 0;
    for (int la = 0; la < a.n_shells; ++la)
        for (int lb = la; lb < b.n_shells; ++lb) {
            pairs_.push_back({la, lb, next, la + 1});
            next += 2 * (la + 1);
        }
    for (int lb = 0; lb < b.n_shells; ++lb)
        for (int la = lb + 1; la < a.n_shells; ++la) {
            pairs_.push_back({la, lb, next, lb + 1});
            next += 2 * (lb + 1);
        }
}

void TwoCentre::integrals(double r, bool with_derivative, Integrals& out) const {
    const int n = ab_.n_columns();
    ab_.evaluate(r, out.value.data(), with_derivative ? out.derivative.data() : nullptr);
    ba_.evaluate(r, out.value.data() + n, with_derivative ? out.derivative.data() + n : nullptr);
}

void TwoCentre::blocks(const Eigen::Vector3d& r, OrbitalBlock hamiltonian, OrbitalBlock overlap) const {
    const double distance = r.norm();
    const Eigen::Vector3d u = r / distance;
    Integrals integral;
    integrals(distance, false, integral);
    for (const ShellPair& p : pairs_) {
        const double* h = &integral.value[static_cast<std::size_t>(p.first)];
        const double* s = h + p.n;
        auto h_block = hamiltonian.block(p.la * p.la, p.lb * p.lb, 2 * p.la + 1, 2 * p.lb + 1);
        auto s_block = overlap.block(p.la * p.la, p.lb * p.lb, 2 * p.la + 1, 2 * p.lb + 1);
        if (p.la <= p.lb) {
            slater_koster_block(p.la, p.lb, u, h, h_block);
            slater_koster_block(p.la, p.lb, u, s, s_block);
        } else {
            // Seen from b, a lies in the direction -u.
            Eigen::MatrixXd reverse(2 * p.lb + 1, 2 * p.la + 1);
            slater_koster_block(p.lb, p.la, -u, h, reverse);
            h_block = reverse.transpose();
            slater_koster_block(p.lb, p.la, -u, s, reverse);
            s_block = reverse.transpose();
        }
    }
}

Eigen::Vector3d TwoCentre::gradient(const Eigen::Vector3d& r, const ConstOrbitalBlock& weights_h,
                                    const ConstOrbitalBlock& weights_s) const {
    const double distance = r.norm();
    const Eigen::Vector3d u = r / distance;
    Integrals integral;
    integrals(distance, true, integral);
    double along = 0;                                   // sum v'_m k_m
    Eigen::Vector3d turning = Eigen::Vector3d::Zero();  // sum v_m dk_m/du
    const auto add = [&](const SlaterKosterContraction& c, int first, int n, double sign) {
        for (int m = 0; m < n; ++m) {
            const auto column = static_cast<std::size_t>(first + m);
            along += integral.derivative[column] * c.k(m);
            turning += sign * integral.value[column] * c.gradient.col(m);
        }
    };
    for (const ShellPair& p : pairs_) {
        const auto a_h = weights_h.block(p.la * p.la, p.lb * p.lb, 2 * p.la + 1, 2 * p.lb + 1);
        const auto a_s = weights_s.block(p.la * p.la, p.lb * p.lb, 2 * p.la + 1, 2 * p.lb + 1);
        if (p.la <= p.lb) {
            add(slater_koster_contraction(p.la, p.lb, u, a_h), p.first, p.n, 1);
            add(slater_koster_contraction(p.la, p.lb, u, a_s), p.first + p.n, p.n, 1);
        } else {
            add(slater_koster_contraction(p.lb, p.la, -u, a_h.transpose().eval()), p.first, p.n, -1);
            add(slater_koster_contraction(p.lb, p.la, -u, a_s.transpose().eval()), p.first + p.n, p.n, -1);
        }
    }
    // du_a/dr_b = (delta_ab - u_a u_b) / R
    return along * u + (turning - u * u.dot(turning)) / distance;
}

}  // namespace stembridge::tb

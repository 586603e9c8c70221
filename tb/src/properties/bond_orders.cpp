// SPDX-License-Identifier: Apache-2.0
// Mayer and Wiberg bond orders, at Gamma and on a grid of k-points.
#include <cblas.h>

#include <algorithm>
#include <complex>
#include <map>
#include <tuple>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>

#include "hamiltonian/bloch_sum.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/tb/properties.hpp"

namespace stembridge::tb {
namespace {

using Complex = std::complex<double>;

/// A B^H.
Eigen::MatrixXcd times_adjoint(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& b) {
    Eigen::MatrixXcd c(a.rows(), b.rows());
    const Complex one = 1, zero = 0;
    const auto m = static_cast<int>(a.rows()), n = static_cast<int>(b.rows()), k = static_cast<int>(a.cols());
    cblas_zgemm(CblasColMajor, CblasNoTrans, CblasConjTrans, m, n, k, &one, a.data(), m, b.data(), n, &zero,
                c.data(), m);
    return c;
}

/// S^1/2 at a k-point.
Eigen::MatrixXcd square_root_of_overlap(const ElectronicState& state, const Eigen::Vector3d& k) {
    const int n = state.basis.n_orbitals();
    Eigen::VectorXd values(n);
    lapack_int info = 0;
    Eigen::MatrixXcd root;
    // S = V s V^H, S^1/2 = V s^1/2 V^H; real at Gamma
    if (k.isZero(0)) {
        Eigen::MatrixXd v(n, n);
        state.overlap.fold(v.data());
        info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, v.data(), n, values.data());
        const Eigen::MatrixXd scaled = v * values.cwiseMax(0).cwiseSqrt().asDiagonal();
        Eigen::MatrixXd product(n, n);
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1, scaled.data(), n, v.data(), n, 0,
                    product.data(), n);
        root = product.cast<Complex>();
    } else {
        Eigen::MatrixXcd v = bloch_sum(state.overlap, k);
        info = LAPACKE_zheevd(LAPACK_COL_MAJOR, 'V', 'L', n, v.data(), n, values.data());
        root = times_adjoint(v * values.cwiseMax(0).cwiseSqrt().asDiagonal(), v);
    }
    if (info != 0) throw NumericalError("the diagonalisation of the overlap matrix failed");
    return root;
}

/// Pairs of different atoms; of the images that a grid cannot tell apart, the nearest.
std::vector<Block> distinct_pairs(const ElectronicState& state) {
    std::map<std::tuple<int, int, int, int, int>, Block> nearest;
    for (const Block& b : state.pattern.blocks()) {
        std::array<int, 3> folded{};
        for (std::size_t a = 0; a < 3; ++a) {
            const int n = state.divisions[a];
            folded[a] = ((b.image[a] % n) + n) % n;
        }
        // An atom and its own image at one place of the supercell are one atom, not a bond.
        if (b.i == b.j && folded == std::array<int, 3>{0, 0, 0}) continue;
        const auto [place, added] = nearest.try_emplace({b.i, b.j, folded[0], folded[1], folded[2]}, b);
        if (!added && b.distance < place->second.distance) place->second = b;
    }
    std::vector<Block> pairs;
    pairs.reserve(nearest.size());
    for (const auto& [key, block] : nearest) pairs.push_back(block);
    return pairs;
}

/// One matrix M(T) on pairs of atoms, from its values at the k-points: M_ij(T) and M_ji(-T).
struct PairBlocks {
    std::vector<Eigen::MatrixXd> forward, backward;

    PairBlocks(const Basis& basis, const std::vector<Block>& pairs) {
        for (const Block& b : pairs) {
            forward.push_back(Eigen::MatrixXd::Zero(basis.n_orbitals(b.i), basis.n_orbitals(b.j)));
            backward.push_back(Eigen::MatrixXd::Zero(basis.n_orbitals(b.j), basis.n_orbitals(b.i)));
        }
    }
    /// M(T) += w Re[ M_k exp(-2 pi i k T) ]
    void add(const Basis& basis, const std::vector<Block>& pairs, const Eigen::MatrixXcd& m,
             const Eigen::Vector3d& k, double weight) {
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            const Block& b = pairs[p];
            const Complex phase = bloch_phase(k, b);
            const int i = basis.first_orbital(b.i), j = basis.first_orbital(b.j);
            const int ni = basis.n_orbitals(b.i), nj = basis.n_orbitals(b.j);
            forward[p] += weight * (std::conj(phase) * m.block(i, j, ni, nj)).real();
            backward[p] += weight * (phase * m.block(j, i, nj, ni)).real();
        }
    }
    /// sum over the orbitals of both atoms of M_mu,nu M_nu,mu
    double bond_order(std::size_t pair) const {
        return forward[pair].cwiseProduct(backward[pair].transpose()).sum();
    }
};

}  // namespace

std::vector<BondOrder> bond_orders(const ElectronicState& state, const Spectrum& spectrum, double least) {
    const Basis& basis = state.basis;
    const std::vector<Block> pairs = distinct_pairs(state);
    std::vector<BondOrder> all(pairs.size());
    for (std::size_t p = 0; p < pairs.size(); ++p)
        all[p] = {.i = pairs[p].i, .j = pairs[p].j, .image = pairs[p].image, .distance = pairs[p].distance};

    for (std::size_t spin = 0; spin < spectrum.states.size(); ++spin) {
        PairBlocks mayer(basis, pairs), wiberg(basis, pairs);
        for (int k = 0; k < state.kpoints.size(); ++k) {
            const Eigen::Vector3d point = state.kpoints.points.col(k);
            const double weight = state.kpoints.weights(k);
            const Eigen::MatrixXcd& all_c = spectrum.states[spin][static_cast<std::size_t>(k)].coefficients;
            const Eigen::VectorXd all_f = spectrum.occupations.f[spin].col(k);
            // Levels ascend, so those with electrons come first.
            Eigen::Index filled = all_f.size();
            while (filled > 0 && std::abs(all_f(filled - 1)) < 1e-14) --filled;
            if (filled == 0) continue;
            const Eigen::MatrixXcd c = all_c.leftCols(filled);
            const Eigen::VectorXd f = all_f.head(filled);
            const Eigen::MatrixXcd s = bloch_sum(state.overlap, point).selfadjointView<Eigen::Lower>();
            // P S = C f (S C)^H
            mayer.add(basis, pairs, times_adjoint(c * f.asDiagonal(), times_adjoint(s, c.adjoint())), point,
                      weight);
            // S^1/2 P S^1/2 = D f D^H with D = S^1/2 C
            const Eigen::MatrixXcd d = times_adjoint(square_root_of_overlap(state, point), c.adjoint());
            wiberg.add(basis, pairs, times_adjoint(d * f.asDiagonal(), d), point, weight);
        }
        // One spin density of two counts double: B = 2 sum_spin (P_spin S)(P_spin S).
        const double factor = spectrum.states.size() == 2 ? 2 : 1;
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            all[p].mayer += factor * mayer.bond_order(p);
            all[p].wiberg += factor * wiberg.bond_order(p);
        }
    }
    std::vector<BondOrder> result;
    std::copy_if(all.begin(), all.end(), std::back_inserter(result), [&](const BondOrder& b) {
        return std::max(std::abs(b.mayer), std::abs(b.wiberg)) >= least;
    });
    return result;
}

}  // namespace stembridge::tb

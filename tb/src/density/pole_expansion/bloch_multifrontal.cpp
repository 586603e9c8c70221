// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/bloch_multifrontal.hpp"

#include <algorithm>
#include <unordered_map>

#include "density/pole_expansion/blas.hpp"
#include "hamiltonian/bloch_sum.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

using Complex = std::complex<double>;

std::size_t product(int a, int b) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

void check(const std::stop_token& stop) {
    if (stop.stop_requested()) throw StoppedError("density matrix: stopped during a factorisation");
}

[[noreturn]] void fail() {
    throw NumericalError("a diagonal block of the factorisation is singular");
}

/// Inverse in place of a Hermitian matrix, its lower triangle given, both filled. @return negative
/// eigenvalues
int invert_hermitian(int n, Complex* a, int lda, std::vector<Complex>& work) {
    std::vector<int> pivots(static_cast<std::size_t>(n));
    const int size = static_cast<int>(work.size());
    if (LAPACKE_zhetrf_work(LAPACK_COL_MAJOR, 'L', n, a, lda, pivots.data(), work.data(), size) != 0) fail();
    const auto at = [&](int i, int j) -> Complex& {
        return a[product(j, lda) + static_cast<std::size_t>(i)];
    };
    int negative = 0;
    for (int i = 0; i < n; ++i) {
        const double d = at(i, i).real();
        if (pivots[static_cast<std::size_t>(i)] > 0) {
            negative += d < 0 ? 1 : 0;
            continue;
        }
        // A block of two: one of each sign when its determinant is negative.
        const double determinant = d * at(i + 1, i + 1).real() - std::norm(at(i + 1, i));
        negative += determinant < 0 ? 1 : d < 0 ? 2 : 0;
        ++i;
    }
    if (LAPACKE_zhetri_work(LAPACK_COL_MAJOR, 'L', n, a, lda, pivots.data(), work.data()) != 0) fail();
    for (int j = 0; j < n; ++j)
        for (int i = j + 1; i < n; ++i) at(j, i) = std::conj(at(i, j));
    return negative;
}

void invert_general(int n, Complex* a, int lda, std::vector<Complex>& work) {
    std::vector<int> pivots(static_cast<std::size_t>(n));
    if (LAPACKE_zgetrf_work(LAPACK_COL_MAJOR, n, n, a, lda, pivots.data()) != 0 ||
        LAPACKE_zgetri_work(LAPACK_COL_MAJOR, n, a, lda, pivots.data(), work.data(),
                            static_cast<int>(work.size())) != 0)
        fail();
}

/// Visits pieces of columns of a child's boundary block and their places in the parent.
template <typename Visit>
void for_each_piece(const Front& child, std::size_t parent_size, const Visit& visit) {
    const auto n = static_cast<std::size_t>(child.n_boundary);
    for (const RowRun& columns : child.in_parent)
        for (int c = 0; c < columns.length; ++c)
            for (const RowRun& rows : child.in_parent)
                visit(static_cast<std::size_t>(columns.from + c) * n + static_cast<std::size_t>(rows.from),
                      static_cast<std::size_t>(columns.to + c) * parent_size +
                          static_cast<std::size_t>(rows.to),
                      rows.length);
}

/// Rows of the atoms i and j of a block in its front.
int row_of_i(const BlockPlace& p) {
    return p.flipped ? p.row : p.column;
}
int row_of_j(const BlockPlace& p) {
    return p.flipped ? p.column : p.row;
}
bool on_site(const BlockPlace& p) {
    return p.row == p.column && !p.image_of_itself;
}

/// C = alpha A B + beta C.
void multiply(int m, int n, int k, double alpha, const Complex* a, int lda, const Complex* b, int ldb,
              double beta, Complex* c, int ldc) {
    const Complex factor = alpha, old = beta;
    cblas_zgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, k, &factor, a, lda, b, ldb, &old, c, ldc);
}

}  // namespace

BlochMultifrontal::BlochMultifrontal(const Symbolic& symbolic, const BlockPattern& pattern)
    : symbolic_(symbolic) {
    std::unordered_map<std::size_t, const Block*> at_offset;
    for (const Block& b : pattern.blocks()) at_offset[b.offset] = &b;
    for (const auto& places : symbolic.places) {
        blocks_.emplace_back();
        for (const BlockPlace& p : places) blocks_.back().push_back(at_offset.at(p.offset));
        phases_.emplace_back(places.size());
    }
    std::size_t n_upper = 0;
    for (const Front& f : symbolic.fronts) {
        upper_offset_.push_back(n_upper);
        n_upper += product(f.n_pivots, f.n_boundary);
    }
    factor_.resize(symbolic.n_factor_values);
    upper_.resize(n_upper);
    stack_.resize(symbolic.n_stack_values);
    front_.resize(product(symbolic.largest_front, symbolic.largest_front));
    work_.resize(64 * static_cast<std::size_t>(symbolic.largest_pivots) + 64);
}

std::size_t BlochMultifrontal::bytes(const Symbolic& symbolic) {
    std::size_t n = symbolic.n_factor_values + symbolic.n_stack_values +
                    product(symbolic.largest_front, symbolic.largest_front);
    for (const Front& f : symbolic.fronts) n += product(f.n_pivots, f.n_boundary);
    return n * sizeof(Complex);
}

int BlochMultifrontal::factorize(const double* hamiltonian, const double* overlap, Complex z,
                                 const Eigen::Vector3d& k, const std::stop_token& stop) {
    int negative = 0;
    std::size_t top = 0;
    for (std::size_t f = 0; f < symbolic_.fronts.size(); ++f) {
        check(stop);
        const Front& front = symbolic_.fronts[f];
        const int m = front.size(), p = front.n_pivots, b = front.n_boundary;
        const auto ld = static_cast<std::size_t>(m), n_pivots = static_cast<std::size_t>(p);
        Complex* F = front_.data();
        std::fill(F, F + ld * ld, Complex(0));
        const auto at = [&](int i, int j) -> Complex& {
            return F[product(j, m) + static_cast<std::size_t>(i)];
        };
        for (std::size_t n = 0; n < blocks_[f].size(); ++n) {
            const BlockPlace& place = symbolic_.places[f][n];
            const Complex phase = phases_[f][n] = bloch_phase(k, *blocks_[f][n]);
            const int i0 = row_of_i(place), j0 = row_of_j(place);
            std::size_t value = place.offset;
            for (int j = 0; j < place.n_j; ++j)
                for (int i = 0; i < place.n_i; ++i, ++value) {
                    const Complex a = (hamiltonian != nullptr ? hamiltonian[value] : 0.0) -
                                      (overlap != nullptr ? z * overlap[value] : Complex(0));
                    at(i0 + i, j0 + j) += phase * a;
                    if (!on_site(place)) at(j0 + j, i0 + i) += std::conj(phase) * a;
                }
        }
        for (auto c = front.children.rbegin(); c != front.children.rend(); ++c) {
            const Front& child = symbolic_.fronts[static_cast<std::size_t>(*c)];
            top -= product(child.n_boundary, child.n_boundary);
            const Complex* left_over = stack_.data() + top;
            for_each_piece(child, ld, [&](std::size_t own, std::size_t parents, int length) {
                for (int i = 0; i < length; ++i)
                    F[parents + static_cast<std::size_t>(i)] += left_over[own + static_cast<std::size_t>(i)];
            });
        }
        // F = [F11 F12; F21 F22]:  L = F21 F11^-1,  U = F11^-1 F12,  left over: F22 - L F12
        if (z.imag() == 0)
            negative += invert_hermitian(p, F, m, work_);
        else
            invert_general(p, F, m, work_);
        Complex* factor = factor_.data() + front.factor_offset;
        for (std::size_t j = 0; j < n_pivots; ++j)
            std::copy(F + j * ld, F + j * ld + n_pivots, factor + j * ld);
        if (b == 0) continue;
        const Complex* F12 = F + n_pivots * ld;
        multiply(b, p, p, 1, F + p, m, F, m, 0, factor + p, m);
        multiply(p, b, p, 1, F, m, F12, m, 0, upper_.data() + upper_offset_[f], p);
        Complex* left_over = stack_.data() + top;
        const auto n = static_cast<std::size_t>(b);
        for (std::size_t j = 0; j < n; ++j)
            std::copy(F12 + j * ld + n_pivots, F12 + j * ld + ld, left_over + j * n);
        multiply(b, b, p, -1, factor + p, m, F12, m, 1, left_over, b);
        top += n * n;
    }
    return negative;
}

void BlochMultifrontal::add_selected_inverse(double weight, Complex* out, const std::stop_token& stop) {
    std::size_t top = 0;
    for (std::size_t f = symbolic_.fronts.size(); f-- > 0;) {
        check(stop);
        const Front& front = symbolic_.fronts[f];
        const int m = front.size(), p = front.n_pivots, b = front.n_boundary;
        const auto ld = static_cast<std::size_t>(m), n_pivots = static_cast<std::size_t>(p);
        const Complex* factor = factor_.data() + front.factor_offset;
        const Complex* U = upper_.data() + upper_offset_[f];
        Complex* G = front_.data();
        for (std::size_t j = 0; j < n_pivots; ++j)
            std::copy(factor + j * ld, factor + j * ld + n_pivots, G + j * ld);
        if (b > 0) {
            // G21 = -G22 L,  G12 = -U G22,  G11 = D^-1 - U G21
            const auto n = static_cast<std::size_t>(b);
            top -= n * n;
            const Complex* G22 = stack_.data() + top;
            Complex* G12 = G + n_pivots * ld;
            multiply(b, p, b, -1, G22, b, factor + p, m, 0, G + p, m);
            multiply(p, b, b, -1, U, p, G22, b, 0, G12, m);
            multiply(p, p, b, -1, U, p, G + p, m, 1, G, m);
            for (std::size_t j = 0; j < n; ++j)
                std::copy(G22 + j * n, G22 + j * n + n, G12 + j * ld + n_pivots);
        }
        for (const int c : front.children) {
            const Front& child = symbolic_.fronts[static_cast<std::size_t>(c)];
            Complex* for_child = stack_.data() + top;
            for_each_piece(child, ld, [&](std::size_t own, std::size_t parents, int length) {
                std::copy(G + parents, G + parents + length, for_child + own);
            });
            top += product(child.n_boundary, child.n_boundary);
        }
        const auto at = [&](int i, int j) { return G[product(j, m) + static_cast<std::size_t>(i)]; };
        for (std::size_t n = 0; n < blocks_[f].size(); ++n) {
            const BlockPlace& place = symbolic_.places[f][n];
            const Complex phase = 0.5 * weight * phases_[f][n];
            const int i0 = row_of_i(place), j0 = row_of_j(place);
            std::size_t value = place.offset;
            for (int j = 0; j < place.n_j; ++j)
                for (int i = 0; i < place.n_i; ++i, ++value)
                    out[value] += std::conj(phase) * at(i0 + i, j0 + j) + phase * at(j0 + j, i0 + i);
        }
    }
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/multifrontal.hpp"

#include <algorithm>

#include "density/pole_expansion/blas.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

std::size_t square(int n) {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
}

void check(const std::stop_token& stop) {
    if (stop.stop_requested()) throw StoppedError("density matrix: stopped during a factorisation");
}

/// Adds the blocks of H - z S that belong to a front, lower triangle.
template <typename Scalar>
void add_blocks(const std::vector<BlockPlace>& places, const double* h, const double* s, Scalar z,
                Scalar* front, std::size_t size) {
    for (const BlockPlace& p : places)
        for (int j = 0; j < p.n_j; ++j)
            for (int i = 0; i < p.n_i; ++i) {
                const std::size_t k = p.offset + static_cast<std::size_t>(j * p.n_i + i);
                Scalar value = 0;
                if (h != nullptr) value += Scalar(static_cast<decltype(std::real(z))>(h[k]));
                if (s != nullptr) value -= z * static_cast<decltype(std::real(z))>(s[k]);
                const int row = p.row + (p.flipped ? i : j), column = p.column + (p.flipped ? j : i);
                if (p.row != p.column || row >= column)
                    front[static_cast<std::size_t>(column) * size + static_cast<std::size_t>(row)] += value;
                if (!p.image_of_itself) continue;
                // The image on the other side gives the transposed block.
                const int mirror_row = p.row + i, mirror_column = p.column + j;
                if (mirror_row >= mirror_column)
                    front[static_cast<std::size_t>(mirror_column) * size +
                          static_cast<std::size_t>(mirror_row)] += value;
            }
}

/// Visits pairs of equal columns of a child's boundary block and its place in the parent, lower triangle.
template <typename Visit>
void for_each_segment(const Front& child, std::size_t parent_size, const Visit& visit) {
    const auto n = static_cast<std::size_t>(child.n_boundary);
    for (std::size_t b = 0; b < child.in_parent.size(); ++b) {
        const RowRun& columns = child.in_parent[b];
        for (int c = 0; c < columns.length; ++c) {
            const std::size_t own = static_cast<std::size_t>(columns.from + c) * n;
            const std::size_t parents = static_cast<std::size_t>(columns.to + c) * parent_size;
            // Within the first run the segment starts at the diagonal.
            visit(own + static_cast<std::size_t>(columns.from + c),
                  parents + static_cast<std::size_t>(columns.to + c), columns.length - c);
            for (std::size_t r = b + 1; r < child.in_parent.size(); ++r) {
                const RowRun& rows = child.in_parent[r];
                visit(own + static_cast<std::size_t>(rows.from), parents + static_cast<std::size_t>(rows.to),
                      rows.length);
            }
        }
    }
}

}  // namespace

template <typename Scalar>
Multifrontal<Scalar>::Multifrontal(const Symbolic& symbolic) : symbolic_(symbolic) {
    factor_.resize(symbolic.n_factor_values);
    stack_.resize(symbolic.n_stack_values);
    front_.resize(square(symbolic.largest_front));
    work_.resize(square(symbolic.largest_pivots));
}

template <typename Scalar>
int Multifrontal<Scalar>::factorize(const double* hamiltonian, const double* overlap, Scalar z,
                                    const std::stop_token& stop) {
    int negative = 0;
    std::size_t top = 0;
    for (std::size_t f = 0; f < symbolic_.fronts.size(); ++f) {
        check(stop);
        const Front& front = symbolic_.fronts[f];
        const int m = front.size(), p = front.n_pivots, b = front.n_boundary;
        const auto ld = static_cast<std::size_t>(m), n_pivots = static_cast<std::size_t>(p);
        Scalar* F = front_.data();
        std::fill(F, F + square(m), Scalar(0));
        add_blocks(symbolic_.places[f], hamiltonian, overlap, z, F, ld);
        for (auto c = front.children.rbegin(); c != front.children.rend(); ++c) {
            const Front& child = symbolic_.fronts[static_cast<std::size_t>(*c)];
            top -= square(child.n_boundary);
            const Scalar* left_over = stack_.data() + top;
            for_each_segment(child, ld, [&](std::size_t own, std::size_t parents, int length) {
                for (int i = 0; i < length; ++i)
                    F[parents + static_cast<std::size_t>(i)] += left_over[own + static_cast<std::size_t>(i)];
            });
        }
        // F = [F11 .; F21 F22]:  L = F21 F11^-1,  left over: F22 - L F21^T
        negative += invert_symmetric(p, F, m, work_.data());
        Scalar* factor = factor_.data() + front.factor_offset;
        for (std::size_t j = 0; j < n_pivots; ++j)
            std::copy(F + j * ld + j, F + j * ld + n_pivots, factor + j * ld + j);
        if (b == 0) continue;
        blas::symmetric_product(CblasRight, b, p, 1.0, F, m, F + p, m, factor + p, m);
        Scalar* F22 = F + n_pivots * ld + n_pivots;
        subtract_symmetric_product(false, b, p, factor + p, m, F + p, m, F22, m);
        Scalar* left_over = stack_.data() + top;
        const auto n = static_cast<std::size_t>(b);
        for (std::size_t j = 0; j < n; ++j)
            std::copy(F22 + j * ld + j, F22 + j * ld + n, left_over + j * n + j);
        top += square(b);
    }
    return negative;
}

template <typename Scalar>
void Multifrontal<Scalar>::selected_inverse(std::complex<double>* out, const std::stop_token& stop) {
    std::size_t top = 0;
    for (std::size_t f = symbolic_.fronts.size(); f-- > 0;) {
        check(stop);
        const Front& front = symbolic_.fronts[f];
        const int m = front.size(), p = front.n_pivots, b = front.n_boundary;
        const auto ld = static_cast<std::size_t>(m), n_pivots = static_cast<std::size_t>(p);
        const Scalar* factor = factor_.data() + front.factor_offset;
        Scalar* G = front_.data();
        for (std::size_t j = 0; j < n_pivots; ++j)
            std::copy(factor + j * ld + j, factor + j * ld + n_pivots, G + j * ld + j);
        if (b > 0) {
            // G21 = -G22 L,  G11 = D^-1 - L^T G21
            const auto n = static_cast<std::size_t>(b);
            top -= square(b);
            const Scalar* G22 = stack_.data() + top;
            blas::symmetric_product(CblasLeft, b, p, -1.0, G22, b, factor + p, m, G + p, m);
            subtract_symmetric_product(true, p, b, factor + p, m, G + p, m, G, m);
            Scalar* copy = G + n_pivots * ld + n_pivots;
            for (std::size_t j = 0; j < n; ++j)
                std::copy(G22 + j * n + j, G22 + j * n + n, copy + j * ld + j);
        }
        for (const int c : front.children) {
            const Front& child = symbolic_.fronts[static_cast<std::size_t>(c)];
            Scalar* for_child = stack_.data() + top;
            for_each_segment(child, ld, [&](std::size_t own, std::size_t parents, int length) {
                std::copy(G + parents, G + parents + length, for_child + own);
            });
            top += square(child.n_boundary);
        }
        for (const BlockPlace& place : symbolic_.places[f])
            for (int j = 0; j < place.n_j; ++j)
                for (int i = 0; i < place.n_i; ++i) {
                    int row = place.row + (place.flipped ? i : j),
                        column = place.column + (place.flipped ? j : i);
                    if (place.row == place.column && row < column) std::swap(row, column);
                    out[place.offset + static_cast<std::size_t>(j * place.n_i + i)] = std::complex<double>(
                        G[static_cast<std::size_t>(column) * ld + static_cast<std::size_t>(row)]);
                }
    }
}

template class Multifrontal<double>;
template class Multifrontal<std::complex<double>>;
template class Multifrontal<std::complex<float>>;

}  // namespace stembridge::tb

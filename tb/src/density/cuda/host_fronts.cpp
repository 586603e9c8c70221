// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/host_fronts.hpp"

#include <cblas.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace stembridge::tb {
namespace {

std::size_t to_size(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

/// c += a b without the checks for infinities of the complex product.
template <typename Real>
void add_product(std::complex<Real> a, std::complex<Real> b, std::complex<Real>& c) {
    c = {c.real() + a.real() * b.real() - a.imag() * b.imag(),
         c.imag() + a.real() * b.imag() + a.imag() * b.real()};
}

template <typename Real>
std::complex<Real> product(std::complex<Real> a, std::complex<Real> b) {
    std::complex<Real> c = 0;
    add_product(a, b, c);
    return c;
}

/// A <- A^-1 by Gauss and Jordan, pivots in order. @param a (n, n), dense
template <typename Real>
void invert(int n, std::complex<Real>* a) {
    using Complex = std::complex<Real>;
    for (int k = 0; k < n; ++k) {
        const Complex inverse = Complex(1) / a[k * n + k];
        a[k * n + k] = 1;
        for (int j = 0; j < n; ++j) a[j * n + k] = product(a[j * n + k], inverse);
        for (int i = 0; i < n; ++i) {
            if (i == k) continue;
            const Complex factor = -a[k * n + i];
            a[k * n + i] = 0;
            for (int j = 0; j < n; ++j) add_product(factor, a[j * n + k], a[j * n + i]);
        }
    }
}

/// Sweeps a full symmetric matrix on its first pivots, some at a time:
///   F_KK <- -F_KK^-1, F_RK <- F_RK F_KK^-1, F_RR <- F_RR - F_RK F_KK^-1 F_KR.
/// @source Dempster, Elements of Continuous Multivariate Analysis (1969), the operator SWP
template <typename Real>
void sweep(int size, int n_pivots, std::complex<Real>* f) {
    using Complex = std::complex<Real>;
    constexpr int width = 16;
    const auto ld = static_cast<std::size_t>(size);
    std::vector<Complex> c(ld * width), u(ld * width), d(width * width);
    for (int first = 0; first < n_pivots; first += width) {
        const int w = std::min(width, n_pivots - first);
        const auto begin = static_cast<std::size_t>(first), end = static_cast<std::size_t>(first + w);
        std::copy(f + begin * ld, f + end * ld, c.begin());
        for (int j = 0; j < w; ++j)
            for (int i = 0; i < w; ++i)
                d[static_cast<std::size_t>(j * w + i)] =
                    c[static_cast<std::size_t>(j) * ld + begin + static_cast<std::size_t>(i)];
        invert(w, d.data());
        // U = C D
        for (std::size_t j = 0; j < static_cast<std::size_t>(w); ++j) {
            std::fill_n(u.begin() + static_cast<std::ptrdiff_t>(j * ld), ld, Complex(0));
            for (std::size_t k = 0; k < static_cast<std::size_t>(w); ++k)
                for (std::size_t i = 0; i < ld; ++i)
                    add_product(c[k * ld + i], d[j * static_cast<std::size_t>(w) + k], u[j * ld + i]);
        }
        for (std::size_t j = 0; j < ld; ++j) {
            if (j >= begin && j < end) continue;
            for (std::size_t k = 0; k < static_cast<std::size_t>(w); ++k) {
                const Complex factor = -c[k * ld + j];
                for (std::size_t i = 0; i < ld; ++i) add_product(factor, u[k * ld + i], f[j * ld + i]);
            }
        }
        for (std::size_t k = 0; k < static_cast<std::size_t>(w); ++k) {
            for (std::size_t i = 0; i < ld; ++i)
                f[(begin + k) * ld + i] = f[i * ld + begin + k] = u[k * ld + i];
        }
        for (std::size_t k = 0; k < static_cast<std::size_t>(w); ++k)
            for (std::size_t i = 0; i < static_cast<std::size_t>(w); ++i)
                f[(begin + k) * ld + begin + i] = -d[k * static_cast<std::size_t>(w) + i];
    }
}

/// Calls action(entry of the child, entry of the parent) for what the boundaries of children and their
/// parents have in common, of every pole.
template <typename Real, typename Action>
void each_shared_entry(int count, const ChildLink* links, const int* rows, FrontStorage<Real> fronts,
                       const Action& action) {
    for (int item = 0; item < count * fronts.n_poles; ++item) {
        const ChildLink& link = links[item / fronts.n_poles];
        std::complex<Real>* values = fronts.values + (item % fronts.n_poles) * fronts.stride;
        const int size = link.child.n_pivots + link.child.n_boundary;
        const std::int64_t parent_size = link.parent.n_pivots + link.parent.n_boundary;
        const int* row = rows + link.first_row;
        for (int j = 0; j < link.child.n_boundary; ++j)
            for (int i = 0; i < link.child.n_boundary; ++i)
                action(values[link.child.offset + std::int64_t{link.child.n_pivots + j} * size +
                              link.child.n_pivots + i],
                       values[link.parent.offset + row[j] * parent_size + row[i]]);
    }
}

}  // namespace

template <typename Real>
void HostFronts<Real>::place(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                             const double* h, const double* s, const std::complex<double>* z,
                             FrontStorage<Real> fronts) {
    for (int j = 0; j < fronts.n_poles; ++j) {
        Complex* values = fronts.values + j * fronts.stride;
        std::fill_n(values, fronts.stride, Complex(0));
        for (std::size_t k = 0; k < count; ++k)
            values[position[k]] = values[mirror[k]] = Complex(h[k] - z[j] * s[k]);
    }
}

template <typename Real>
void HostFronts<Real>::add_children(int count, const ChildLink* links, const int* rows,
                                    FrontStorage<Real> fronts) {
    each_shared_entry(count, links, rows, fronts,
                      [](Complex& of_child, Complex& of_parent) { of_parent += of_child; });
}

template <typename Real>
void HostFronts<Real>::take_from_parents(int count, const ChildLink* links, const int* rows,
                                         FrontStorage<Real> fronts) {
    each_shared_entry(count, links, rows, fronts,
                      [](Complex& of_child, Complex& of_parent) { of_child = of_parent; });
}

template <typename Real>
void HostFronts<Real>::eliminate_small(int count, const FrontShape* shapes, int, FrontStorage<Real> fronts) {
#pragma omp parallel for schedule(dynamic)
    for (int item = 0; item < count * fronts.n_poles; ++item) {
        const FrontShape& shape = shapes[item / fronts.n_poles];
        sweep(shape.n_pivots + shape.n_boundary, shape.n_pivots,
              fronts.values + (item % fronts.n_poles) * fronts.stride + shape.offset);
    }
}

template <typename Real>
void HostFronts<Real>::invert_small(int count, const FrontShape* shapes, int, FrontStorage<Real> fronts) {
#pragma omp parallel for schedule(dynamic)
    for (int item = 0; item < count * fronts.n_poles; ++item) {
        const FrontShape& shape = shapes[item / fronts.n_poles];
        Complex* f = fronts.values + (item % fronts.n_poles) * fronts.stride + shape.offset;
        const auto p = to_size(shape.n_pivots), b = to_size(shape.n_boundary), ld = p + b;
        std::vector<Complex> l(b * p), g21(b * p, Complex(0));
        for (std::size_t j = 0; j < p; ++j)
            std::copy(f + j * ld + p, f + j * ld + ld, l.begin() + static_cast<std::ptrdiff_t>(j * b));
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < b; ++k) {
                const Complex factor = -l[j * b + k];
                for (std::size_t i = 0; i < b; ++i)
                    add_product(factor, f[(p + k) * ld + p + i], g21[j * b + i]);
            }
        for (std::size_t j = 0; j < p; ++j) {
            for (std::size_t i = 0; i < p; ++i) {
                Complex sum = -f[j * ld + i];
                for (std::size_t k = 0; k < b; ++k) add_product(-l[i * b + k], g21[j * b + k], sum);
                f[j * ld + i] = sum;
            }
            for (std::size_t i = 0; i < b; ++i) f[j * ld + p + i] = f[(p + i) * ld + j] = g21[j * b + i];
        }
    }
}

template <typename Real>
void HostFronts<Real>::multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha,
                                const Complex* a, int lda, std::int64_t stride_a, const Complex* b, int ldb,
                                std::int64_t stride_b, double beta, Complex* c, int ldc,
                                std::int64_t stride_c, int n_poles) {
    const Complex x(static_cast<Real>(alpha)), y(static_cast<Real>(beta));
    const auto op = [](bool transpose) { return transpose ? CblasTrans : CblasNoTrans; };
    for (int j = 0; j < n_poles; ++j) {
        if constexpr (std::is_same_v<Real, double>)
            cblas_zgemm(CblasColMajor, op(transpose_a), op(transpose_b), m, n, k, &x, a + j * stride_a, lda,
                        b + j * stride_b, ldb, &y, c + j * stride_c, ldc);
        else
            cblas_cgemm(CblasColMajor, op(transpose_a), op(transpose_b), m, n, k, &x, a + j * stride_a, lda,
                        b + j * stride_b, ldb, &y, c + j * stride_c, ldc);
    }
}

template <typename Real>
void HostFronts<Real>::invert_blocks(int n, const Complex* a, int lda, std::int64_t stride_a, Complex* out,
                                     int n_poles) {
    for (int j = 0; j < n_poles; ++j) {
        Complex* inverse = out + std::int64_t{j} * n * n;
        for (int c = 0; c < n; ++c) std::copy_n(a + j * stride_a + std::int64_t{c} * lda, n, inverse + c * n);
        invert(n, inverse);
    }
}

template <typename Real>
void HostFronts<Real>::copy_blocks(bool transpose, int m, int n, double alpha, const Complex* a, int lda,
                                   std::int64_t stride_a, Complex* b, int ldb, std::int64_t stride_b,
                                   int n_poles) {
    for (int pole = 0; pole < n_poles; ++pole)
        for (int j = 0; j < n; ++j)
            for (int i = 0; i < m; ++i)
                b[pole * stride_b + (transpose ? std::int64_t{i} * ldb + j : std::int64_t{j} * ldb + i)] =
                    static_cast<Real>(alpha) * a[pole * stride_a + std::int64_t{j} * lda + i];
}

template <typename Real>
void HostFronts<Real>::gather(std::size_t count, const std::int64_t* position, FrontStorage<Real> fronts,
                              Complex* g) {
    for (int j = 0; j < fronts.n_poles; ++j)
        for (std::size_t k = 0; k < count; ++k)
            g[to_size(j) * count + k] = fronts.values[j * fronts.stride + position[k]];
}

template <typename Real>
void HostFronts<Real>::traces(std::size_t count, int n_poles, const double* values, const Complex* g,
                              std::complex<double>* out) {
    for (int j = 0; j < n_poles; ++j) {
        std::complex<double> sum = 0;
        for (std::size_t k = 0; k < count; ++k)
            sum += values[k] * std::complex<double>(g[to_size(j) * count + k]);
        out[j] = sum;
    }
}

template <typename Real>
void HostFronts<Real>::add_weighted_sum(std::size_t count, int n_poles, const std::complex<double>* w,
                                        const Complex* g, double* sum) {
    for (int j = 0; j < n_poles; ++j)
        for (std::size_t k = 0; k < count; ++k) {
            const std::complex<double> value(g[to_size(j) * count + k]);
            sum[k] += w[j].real() * value.real() - w[j].imag() * value.imag();
        }
}

template class HostFronts<double>;
template class HostFronts<float>;

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Dense symmetric (also complex symmetric) matrices by their lower triangles.
#include <algorithm>
#include <type_traits>

#include "density/pole_expansion/blas.hpp"
#include "density/pole_expansion/multifrontal.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

constexpr int smallest_block = 24;

[[noreturn]] void fail() {
    throw NumericalError("a diagonal block of the factorisation is singular");
}

/// Negative eigenvalues of D in P A P^T = L D L^T as dsytrf leaves it.
int count_negative(int n, const double* a, const int* pivots) {
    int count = 0;
    for (int i = 0; i < n; ++i) {
        const double d = a[i * n + i];
        if (pivots[i] > 0) {
            count += d < 0 ? 1 : 0;
            continue;
        }
        // A block of two: one of each sign when its determinant is negative.
        const double below = a[i * n + i + 1], next = a[(i + 1) * n + i + 1];
        const double determinant = d * next - below * below;
        count += determinant < 0 ? 1 : d < 0 ? 2 : 0;
        ++i;
    }
    return count;
}

template <typename Scalar>
int invert_small(int n, Scalar* a, int lda) {
    Scalar full[smallest_block * smallest_block], work[smallest_block * smallest_block];
    int pivots[smallest_block];
    int negative = 0;
    for (int j = 0; j < n; ++j)
        for (int i = j; i < n; ++i) full[j * n + i] = full[i * n + j] = a[j * lda + i];
    if constexpr (std::is_same_v<Scalar, double>) {
        if (LAPACKE_dsytrf_work(LAPACK_COL_MAJOR, 'L', n, full, n, pivots, work, n * n) != 0) fail();
        negative = count_negative(n, full, pivots);
        if (LAPACKE_dsytri_work(LAPACK_COL_MAJOR, 'L', n, full, n, pivots, work) != 0) fail();
    } else {
        if (blas::invert(n, full, pivots, work) != 0) fail();
    }
    for (int j = 0; j < n; ++j) std::copy(full + j * n + j, full + j * n + n, a + j * lda + j);
    return negative;
}

}  // namespace

template <typename Scalar>
void subtract_symmetric_product(bool transposed, int n, int k, const Scalar* a, int lda, const Scalar* b,
                                int ldb, Scalar* c, int ldc) {
    // Halves of the diagonal down to small blocks, which are computed whole.
    constexpr int whole = 48;
    const auto product = [&](int row, int column, int m, int width) {
        Scalar* target = c + static_cast<std::size_t>(column) * ldc + row;
        if (transposed)
            blas::add_product(CblasTrans, CblasNoTrans, m, width, k, -1.0,
                              a + static_cast<std::size_t>(row) * lda, lda,
                              b + static_cast<std::size_t>(column) * ldb, ldb, target, ldc);
        else
            blas::add_product(CblasNoTrans, CblasTrans, m, width, k, -1.0, a + row, lda, b + column, ldb,
                              target, ldc);
    };
    const auto triangle = [&](auto&& self, int first, int size) -> void {
        if (size <= whole) return product(first, first, size, size);
        const int half = (size / 2 + 7) / 8 * 8;
        self(self, first, half);
        product(first + half, first, size - half, half);
        self(self, first + half, size - half);
    };
    triangle(triangle, 0, n);
}

template <typename Scalar>
int invert_symmetric(int n, Scalar* a, int lda, Scalar* work) {
    if (n <= smallest_block) return invert_small(n, a, lda);
    // A = [A11 .; A21 A22], Y = A21 A11^-1, Z = (A22 - Y A21^T)^-1:
    // A^-1 = [A11^-1 + Y^T Z Y .; -Z Y Z]; signs of the eigenvalues are those of A11 and of Z together.
    const int n1 = n / 2, n2 = n - n1;
    Scalar* a21 = a + n1;
    Scalar* a22 = a + static_cast<std::size_t>(n1) * lda + n1;
    int negative = invert_symmetric(n1, a, lda, work);
    blas::symmetric_product(CblasRight, n2, n1, 1.0, a, lda, a21, lda, work, n2);
    subtract_symmetric_product(false, n2, n1, work, n2, a21, lda, a22, lda);
    negative += invert_symmetric(n2, a22, lda, work + static_cast<std::size_t>(n1) * n2);
    blas::symmetric_product(CblasLeft, n2, n1, -1.0, a22, lda, work, n2, a21, lda);
    subtract_symmetric_product(true, n1, n2, work, n2, a21, lda, a, lda);
    return negative;
}

template void subtract_symmetric_product(bool, int, int, const double*, int, const double*, int, double*,
                                         int);
template void subtract_symmetric_product(bool, int, int, const std::complex<double>*, int,
                                         const std::complex<double>*, int, std::complex<double>*, int);
template void subtract_symmetric_product(bool, int, int, const std::complex<float>*, int,
                                         const std::complex<float>*, int, std::complex<float>*, int);
template int invert_symmetric(int, double*, int, double*);
template int invert_symmetric(int, std::complex<double>*, int, std::complex<double>*);
template int invert_symmetric(int, std::complex<float>*, int, std::complex<float>*);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// What the solvers of this folder ask of a device: memory, streams, dense algebra, batches of fronts.
// Plain pointers and C++17, so that compilers of device code read it too. Every operation is queued on the
// stream in use and may return before it is done; those that return a number wait for it.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace stembridge::tb {

/// Dense real matrices, column-major, all of leading dimension n where none is given. Pointers are memory of
/// the device.
template <typename Real>
class DenseOperations {
  public:
    virtual ~DenseOperations() = default;
    /// C = alpha op(A) op(B) + beta C, C (m, n), k the inner dimension.
    virtual void multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha,
                          const Real* a, int lda, const Real* b, int ldb, double beta, Real* c, int ldc) = 0;
    /// C = A A^T, lower triangle. @param a, c (n, n)
    virtual void multiply_by_own_transpose(int n, const Real* a, Real* c) = 0;
    /// A = L L^T in the lower triangle. @return false when A is not positive definite
    virtual bool cholesky(int n, Real* a) = 0;
    /// B = op(L)^-1 B, or B op(L)^-1 with `right`. @param b (n, columns), or (columns, n) with `right`
    virtual void solve_triangular(bool right, bool transpose, int n, int columns, const Real* l, Real* b,
                                  int ldb) = 0;
    /// Eigenvalues, ascending, and eigenvectors, which replace A. @param values (n)
    virtual void eigensystem(int n, Real* a, Real* values) = 0;

    /// y = alpha x + beta y. @param n of values
    virtual void combine(std::size_t n, double alpha, const Real* x, double beta, Real* y) = 0;
    /// A += alpha 1.
    virtual void add_to_diagonal(int n, double alpha, Real* a) = 0;
    /// Upper triangle = lower triangle.
    virtual void mirror_lower(int n, Real* a) = 0;
    /// A = (A + A^T) / 2.
    virtual void symmetrize(int n, Real* a) = 0;
    /// out = A diag(w). @param a, out (n, m)
    virtual void scale_columns(int n, int m, const Real* a, const Real* w, Real* out) = 0;
    virtual double trace(int n, const Real* a) = 0;
    virtual double dot(std::size_t n, const Real* x, const Real* y) = 0;
    /// sum_i ln A_ii.
    virtual double log_of_diagonal(int n, const Real* a) = 0;

    virtual void from_double(std::size_t n, const double* x, Real* y) = 0;
    virtual void to_double(std::size_t n, const Real* x, double* y) = 0;
    /// A[position_k] = A[mirror_k] = values_k, the rest zero. @param a (n, n)
    virtual void scatter(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                         const double* values, int n, Real* a) = 0;
    /// out_k = alpha A[position_k] + beta out_k.
    virtual void gather(std::size_t count, const std::int64_t* position, double alpha, const Real* a,
                        double beta, double* out) = 0;
};

/// A dense symmetric matrix F = [F11 .; F21 F22] of the elimination tree, full, column-major.
struct FrontShape {
    std::int64_t offset;  ///< of its first value in the fronts of one pole
    int n_pivots, n_boundary;
};

/// The boundary block of a child and its rows in the parent.
struct ChildLink {
    FrontShape child, parent;
    std::int64_t first_row;  ///< in the list of rows: parent's row of each boundary row of the child
};

/// The fronts of all poles: pole j has its own at j * stride.
template <typename Real>
struct FrontStorage {
    std::complex<Real>* values;
    int n_poles;
    std::int64_t stride;
};

/// Batches of fronts over all poles of a set. Complex symmetric (not Hermitian), without exchanges of pivots.
template <typename Real>
class FrontOperations {
  public:
    using Complex = std::complex<Real>;
    virtual ~FrontOperations() = default;
    /// Zero, then F[position_k] = F[mirror_k] = h_k - z_j s_k. @param z on the host
    virtual void place(std::size_t count, const std::int64_t* position, const std::int64_t* mirror,
                       const double* h, const double* s, const std::complex<double>* z,
                       FrontStorage<Real> fronts) = 0;
    /// Parent[rows, rows] += child[boundary, boundary]; no two links may share a parent.
    virtual void add_children(int count, const ChildLink* links, const int* rows,
                              FrontStorage<Real> fronts) = 0;
    /// Child[boundary, boundary] = parent[rows, rows].
    virtual void take_from_parents(int count, const ChildLink* links, const int* rows,
                                   FrontStorage<Real> fronts) = 0;
    /// Largest front that the next two take.
    virtual int largest_small_front() const = 0;
    /// F11 <- -F11^-1, F21 <- F21 F11^-1, F22 <- F22 - F21 F11^-1 F12, each front by itself.
    /// @param largest size among them
    virtual void eliminate_small(int count, const FrontShape* shapes, int largest,
                                 FrontStorage<Real> fronts) = 0;
    /// After eliminate_small() with the inverse in F22: F21 <- -F22 F21 =: G21, F11 <- -F11 - L^T G21.
    virtual void invert_small(int count, const FrontShape* shapes, int largest,
                              FrontStorage<Real> fronts) = 0;

    /// C_j = alpha op(A_j) op(B_j) + beta C_j for all poles j, each matrix at its stride.
    virtual void multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha,
                          const Complex* a, int lda, std::int64_t stride_a, const Complex* b, int ldb,
                          std::int64_t stride_b, double beta, Complex* c, int ldc, std::int64_t stride_c,
                          int n_poles) = 0;
    /// Widest block that invert_blocks() takes.
    virtual int widest_block() const = 0;
    /// out_j = A_j^-1. @param a first value of the block of the first pole  @param out (n, n) each, dense
    virtual void invert_blocks(int n, const Complex* a, int lda, std::int64_t stride_a, Complex* out,
                               int n_poles) = 0;
    /// B_j = alpha op(A_j). @param a (m, n)
    virtual void copy_blocks(bool transpose, int m, int n, double alpha, const Complex* a, int lda,
                             std::int64_t stride_a, Complex* b, int ldb, std::int64_t stride_b,
                             int n_poles) = 0;

    /// G_kj = F_j[position_k], poles one after the other.
    virtual void gather(std::size_t count, const std::int64_t* position, FrontStorage<Real> fronts,
                        Complex* g) = 0;
    /// out_j = sum_k values_k G_kj. @param out (n_poles) on the host
    virtual void traces(std::size_t count, int n_poles, const double* values, const Complex* g,
                        std::complex<double>* out) = 0;
    /// sum_k += sum_j Re(w_j G_kj). @param w (n_poles) on the host
    virtual void add_weighted_sum(std::size_t count, int n_poles, const std::complex<double>* w,
                                  const Complex* g, double* sum) = 0;
};

/// One device. Not to be used by two threads at once.
class Device {
  public:
    Device() = default;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    virtual ~Device() {
        if (when_closed_) when_closed_();
    }
    /// Is called when the device is closed.
    void when_closed(std::function<void()> task) { when_closed_ = std::move(task); }
    virtual std::string name() const = 0;
    /// "cuda" or "host".
    virtual std::string kind() const = 0;
    virtual std::size_t free_memory() const = 0;
    /// Seconds of n_flops at the rate that large products of doubles are expected to reach.
    virtual double expected_seconds(double n_flops) const = 0;

    /// @throw BackendError naming the call and what was asked for
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void release(void* memory) noexcept = 0;
    virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
    virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;
    virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
    virtual void set_zero(void* memory, std::size_t bytes) = 0;

    /// Number of side streams that may run beside each other.
    virtual int n_streams() const = 0;
    /// Side streams wait for what the main stream holds.
    virtual void fork() = 0;
    /// The next operations go to side stream k; -1 = main stream.
    virtual void use_stream(int k) = 0;
    /// The main stream waits for all side streams and is in use again.
    virtual void join() = 0;
    /// Waits until everything is done.
    virtual void synchronize() = 0;

    virtual DenseOperations<double>& dense(double) = 0;
    virtual DenseOperations<float>& dense(float) = 0;
    virtual FrontOperations<double>& fronts(double) = 0;
    virtual FrontOperations<float>& fronts(float) = 0;

    std::size_t allocated() const { return allocated_; }
    std::size_t most_allocated() const { return most_allocated_; }

  protected:
    void count_allocation(std::size_t bytes) {
        allocated_ += bytes;
        if (allocated_ > most_allocated_) most_allocated_ = allocated_;
    }
    void count_release(std::size_t bytes) { allocated_ -= bytes; }

  private:
    std::function<void()> when_closed_;
    std::size_t allocated_ = 0, most_allocated_ = 0;
};

}  // namespace stembridge::tb

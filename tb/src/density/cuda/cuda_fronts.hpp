// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "density/cuda/cuda_calls.hpp"
#include "density/cuda/device.hpp"

namespace stembridge::tb::cuda {

/// Batches of fronts: small ones by one block of threads each, large ones by strided cuBLAS products.
template <typename Real>
class CudaFronts final : public FrontOperations<Real> {
  public:
    using Complex = std::complex<Real>;
    explicit CudaFronts(Streams& streams);
    void place(std::size_t count, const std::int64_t* position, const std::int64_t* mirror, const double* h,
               const double* s, const std::complex<double>* z, FrontStorage<Real> fronts) override;
    void add_children(int count, const ChildLink* links, const int* rows, FrontStorage<Real> fronts) override;
    void take_from_parents(int count, const ChildLink* links, const int* rows,
                           FrontStorage<Real> fronts) override;
    int largest_small_front() const override;
    void eliminate_small(int count, const FrontShape* shapes, int largest,
                         FrontStorage<Real> fronts) override;
    void invert_small(int count, const FrontShape* shapes, int largest, FrontStorage<Real> fronts) override;
    void multiply(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha, const Complex* a,
                  int lda, std::int64_t stride_a, const Complex* b, int ldb, std::int64_t stride_b,
                  double beta, Complex* c, int ldc, std::int64_t stride_c, int n_poles) override;
    int widest_block() const override;
    void invert_blocks(int n, const Complex* a, int lda, std::int64_t stride_a, Complex* out,
                       int n_poles) override;
    void copy_blocks(bool transpose, int m, int n, double alpha, const Complex* a, int lda,
                     std::int64_t stride_a, Complex* b, int ldb, std::int64_t stride_b, int n_poles) override;
    void gather(std::size_t count, const std::int64_t* position, FrontStorage<Real> fronts,
                Complex* g) override;
    void traces(std::size_t count, int n_poles, const double* values, const Complex* g,
                std::complex<double>* out) override;
    void add_weighted_sum(std::size_t count, int n_poles, const std::complex<double>* w, const Complex* g,
                          double* sum) override;

  private:
    Streams& streams_;
    Buffer factors_, partial_;
};

}  // namespace stembridge::tb::cuda

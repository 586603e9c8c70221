// SPDX-License-Identifier: Apache-2.0
// Dense matrices on a device between the block matrices of the host and an orthogonal basis.
#pragma once

#include <memory>

#include "density/cuda/device_array.hpp"
#include "density/cuda/pattern_map.hpp"

namespace stembridge::tb {

/// S = L L^T and what follows from it. Only elements of the pattern cross the bus.
class DenseMatrices {
  public:
    /// @param device must outlive it
    explicit DenseMatrices(Device& device) : device_(device) {}
    /// @param pattern must outlive the following calls
    void analyze(const BlockPattern& pattern);
    /// @throw NumericalError when the overlap is not positive definite
    void set_overlap(const BlockMatrix& overlap);

    int n() const { return n_; }
    std::size_t n_elements() const { return static_cast<std::size_t>(n_) * static_cast<std::size_t>(n_); }
    Device& device() const { return device_; }
    /// A = L^-1 H L^-T. @param a (n, n)
    void orthogonalize(const BlockMatrix& hamiltonian, DeviceArray<double>& a);
    /// X <- L^-T X L^-1, back to the basis of the orbitals.
    void to_orbitals(DeviceArray<double>& x) const;
    /// C <- L^-T C for the first columns.
    void vectors_to_orbitals(int columns, DeviceArray<double>& c) const;
    /// out += X on the pattern.
    void add_elements(const DeviceArray<double>& x, BlockMatrix& out);

  private:
    Device& device_;
    const BlockPattern* pattern_ = nullptr;
    int n_ = 0;
    std::unique_ptr<PatternMap> map_;
    DeviceArray<std::int64_t> position_, mirror_;
    DeviceArray<double> elements_, cholesky_;
};

}  // namespace stembridge::tb

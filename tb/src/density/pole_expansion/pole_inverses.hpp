// SPDX-License-Identifier: Apache-2.0
// Where the inverses of a pole expansion are made and kept when the processor does not do it.
#pragma once

#include <Eigen/Dense>
#include <complex>
#include <stop_token>
#include <vector>

#include "density/pole_expansion/symbolic.hpp"
#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// Inverses G_j = (H - z_j S)^-1 on the pattern, for all poles of a set at once.
class PoleInverses {
  public:
    virtual ~PoleInverses() = default;
    /// @param symbolic of the pattern; both must outlive the following calls
    virtual void analyze(const BlockPattern& pattern, const Symbolic& symbolic) = 0;
    virtual void set_overlap(const BlockMatrix& overlap) = 0;
    /// Makes and keeps G_j of one spin. @param rough single precision will do
    /// @param with_overlap, with_hamiltonian out: Tr(S G_j) and Tr(H G_j)
    /// @throw StoppedError when asked to stop, BackendError when the device fails
    virtual void invert(std::size_t spin, const BlockMatrix& hamiltonian,
                        const std::vector<std::complex<double>>& z, bool rough, const std::stop_token& stop,
                        Eigen::VectorXcd& with_overlap, Eigen::VectorXcd& with_hamiltonian) = 0;
    /// Adds sum_j Re(w_j G_j) of the last invert() of the spin.
    virtual void add_sum(std::size_t spin, const Eigen::VectorXcd& weights, BlockMatrix& out) = 0;
    /// Values of all G_j of the last invert() of the spin, one vector per pole, good to single precision.
    virtual std::vector<std::vector<std::complex<double>>> fetch(std::size_t spin) = 0;
};

}  // namespace stembridge::tb

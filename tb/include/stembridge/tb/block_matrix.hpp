// SPDX-License-Identifier: Apache-2.0
// Sparse symmetric matrices made of one dense block per pair of neighbouring atoms.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <functional>
#include <vector>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/basis.hpp"

namespace stembridge::tb {

/// Place of the block between atom i and the image of atom j that lies at r from it.
struct Block {
    int i = 0, j = 0;
    std::array<int, 3> image = {0, 0, 0};  ///< lattice vectors by which atom j was moved
    Eigen::Vector3d r = Eigen::Vector3d::Zero();
    double distance = 0;
    std::size_t offset = 0;  ///< of its first value, column-major

    bool on_site() const { return i == j && image == std::array<int, 3>{0, 0, 0}; }
};

/// The pairs of atoms that interact, each once: i <= j, and of an atom with its own images one of each two.
/// The on-site block of each atom comes first among its blocks. The order depends on the structure alone.
class BlockPattern {
  public:
    /// @param range of the interaction of two elements (indices of the basis), bohr
    BlockPattern(const Basis& basis, const Structure& structure,
                 const std::function<double(int, int)>& range);

    const Basis& basis() const { return *basis_; }
    const std::vector<Block>& blocks() const { return blocks_; }
    std::size_t n_values() const { return n_values_; }

  private:
    const Basis* basis_;
    std::vector<Block> blocks_;
    std::size_t n_values_ = 0;
};

/// Values on a pattern, which must outlive it.
class BlockMatrix {
  public:
    BlockMatrix() = default;
    explicit BlockMatrix(const BlockPattern& pattern)
        : pattern_(&pattern), values_(pattern.n_values(), 0.0) {}

    const BlockPattern& pattern() const { return *pattern_; }
    std::vector<double>& values() { return values_; }
    const std::vector<double>& values() const { return values_; }
    Eigen::Map<Eigen::MatrixXd> block(const Block& b) {
        const Basis& basis = pattern_->basis();
        return {values_.data() + b.offset, basis.n_orbitals(b.i), basis.n_orbitals(b.j)};
    }
    Eigen::Map<const Eigen::MatrixXd> block(const Block& b) const {
        const Basis& basis = pattern_->basis();
        return {values_.data() + b.offset, basis.n_orbitals(b.i), basis.n_orbitals(b.j)};
    }
    /// The matrix at Gamma: images of an atom added up, (n, n), lower triangle filled, column-major.
    void fold(double* dense) const;
    /// The matrix at Gamma with both triangles.
    Eigen::MatrixXd folded() const;

  private:
    const BlockPattern* pattern_ = nullptr;
    std::vector<double> values_;
};

/// Trace of the product of two symmetric matrices on one pattern.
double trace_of_product(const BlockMatrix& a, const BlockMatrix& b);

/// Populations n_mu = sum_nu P_mu,nu S_mu,nu, (n_orbitals).
/// @source Mulliken, J. Chem. Phys. 23, 1833 (1955), doi:10.1063/1.1740588
Eigen::VectorXd mulliken_populations(const BlockMatrix& density, const BlockMatrix& overlap);

}  // namespace stembridge::tb

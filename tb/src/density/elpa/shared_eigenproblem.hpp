// SPDX-License-Identifier: Apache-2.0
// H c = e S c of all k-points, each solved by all processes together.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <complex>
#include <memory>
#include <vector>

#include "stembridge/tb/kpoints.hpp"

namespace stembridge::tb {

/// Where the blocks of a pattern lie in its matrices.
struct BlockPlaces {
    struct Place {
        int row = 0, column = 0;  ///< of the first element
        int n_rows = 0, n_columns = 0;
        std::array<int, 3> image = {0, 0, 0};  ///< lattice vectors by which the atom of the columns was moved

        bool on_site() const { return row == column && image == std::array<int, 3>{0, 0, 0}; }
    };
    int n_orbitals = 0;
    std::vector<Place> blocks;  ///< in the order of their values

    std::size_t n_values() const;
};

/// Every call is made by all processes, with the same arguments; what goes in (from the first process alone)
/// or comes out (at the first process alone) is said with each. Codes are the same on all processes.
class SharedEigenproblem {
  public:
    virtual ~SharedEigenproblem() = default;
    /// @param values in, of S on the pattern  @return 0, or a code when the overlap is not positive definite
    virtual int set_overlap(std::vector<double> values) = 0;
    /// @param values in, of H on the pattern  @param levels out, (n_orbitals, n_kpoints), hartree
    /// @return 0, or the code of ELPA
    virtual int diagonalise(int spin, std::vector<double> values, Eigen::MatrixXd& levels) = 0;
    /// sum_k Re[ sum_a w_a c_a c_a^H exp(-i k R) ] on the pattern.
    /// @param weights in, (n_orbitals, n_kpoints)  @param values out
    virtual void weigh_states(int spin, Eigen::MatrixXd weights, std::vector<double>& values) const = 0;
    /// @param states out, (n_orbitals, count)
    virtual void collect_states(int spin, int kpoint, int first, int count,
                                Eigen::MatrixXcd& states) const = 0;
};

/// Real matrices at Gamma alone, complex ones otherwise. @param places in  @param kpoints in
std::unique_ptr<SharedEigenproblem> make_shared_eigenproblem(BlockPlaces places, KPoints kpoints);

/// Whether each process can have a part of a matrix.
bool is_large_enough(int n_orbitals);

}  // namespace stembridge::tb

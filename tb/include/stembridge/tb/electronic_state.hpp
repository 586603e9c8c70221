// SPDX-License-Identifier: Apache-2.0
// What a converged SCC-DFTB calculation leaves behind: matrices, levels and filling, for properties.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/basis.hpp"
#include "stembridge/tb/block_matrix.hpp"
#include "stembridge/tb/kpoints.hpp"
#include "stembridge/tb/occupation.hpp"

namespace stembridge::tb {

/// Hamiltonian with the converged charges, overlap and density matrix of one structure, hartree. Stands
/// alone: it does not refer to the calculator it came from.
struct ElectronicState {
    /// @param range of the interaction of two elements (indices into `elements`), bohr
    ElectronicState(const Structure& structure_, const std::vector<ElementData>& elements,
                    const std::function<double(int, int)>& range)
        : structure(structure_),
          basis(structure, elements),
          pattern(basis, structure, range),
          overlap(pattern) {}
    ElectronicState(const ElectronicState&) = delete;
    ElectronicState& operator=(const ElectronicState&) = delete;

    int n_spins() const { return static_cast<int>(hamiltonian.size()); }
    /// Electrons that one level holds: 2, or 1 with spin.
    double capacity() const { return 2.0 / n_spins(); }

    Structure structure;
    Basis basis;
    BlockPattern pattern;
    BlockMatrix overlap;
    std::vector<BlockMatrix> hamiltonian;  ///< one per spin
    std::vector<BlockMatrix> density;      ///< one per spin
    std::vector<double> fermi_levels;      ///< one per spin
    Electrons electrons;
    KPoints kpoints;
    std::array<int, 3> divisions = {1, 1, 1};  ///< of the grid of k-points
};

}  // namespace stembridge::tb

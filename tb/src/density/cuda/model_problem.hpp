// SPDX-License-Identifier: Apache-2.0
// A Hamiltonian and an overlap out of nothing, to compare solvers on.
#pragma once

#include "stembridge/tb/block_matrix.hpp"

namespace stembridge::tb {

/// A round flake of graphene with one s and three p orbitals per atom and random couplings that decay with
/// distance; metallic. Hartree.
struct ModelProblem {
    /// @param radius of the flake, bohr  @param range of the couplings, bohr
    ModelProblem(double radius, double range);
    ModelProblem(const ModelProblem&) = delete;
    ModelProblem& operator=(const ModelProblem&) = delete;

    Structure structure;
    Basis basis;
    BlockPattern pattern;
    BlockMatrix hamiltonian, overlap;
    double n_electrons;
};

}  // namespace stembridge::tb

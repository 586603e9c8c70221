// SPDX-License-Identifier: Apache-2.0
// Models of the dispersion between two atoms.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "dispersion/bonded_neighbors.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::tb {

/// V(R) of atoms of two types, which goes to -C6 / R^6 at large distance.
class PairModel {
  public:
    virtual ~PairModel() = default;
    /// Type of each atom, 0, 1, ...
    /// @throw UnsupportedError for an element without parameters
    virtual std::vector<int> assign(const Structure& structure) = 0;
    virtual int n_types() const = 0;
    /// hartree bohr^6
    virtual double c6(int a, int b) const = 0;
    /// V and dV/dR, hartree and bohr.
    virtual std::array<double, 2> energy(int a, int b, double r) const = 0;
    /// Distance beyond which |V + C6 / R^6| is below the tolerance, bohr.
    virtual double range(int a, int b, double tolerance) const = 0;
};

/// Lennard-Jones with the parameters of the universal force field; a polynomial inside the zero of the
/// potential.
/// @source Rappe et al., J. Am. Chem. Soc. 114, 10024 (1992); Zhechkov et al., J. Chem. Theory Comput. 1, 841
/// (2005)
std::unique_ptr<PairModel> make_lennard_jones();

/// Slater-Kirkwood with polarisabilities that depend on the number of bonded neighbours (C, H, N, O, P, S).
/// @param bonded must outlive the model
/// @source Elstner et al., J. Chem. Phys. 114, 5149 (2001)
std::unique_ptr<PairModel> make_slater_kirkwood(BondedNeighbors& bonded);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// Hamiltonian and overlap integrals between the orbitals of two confined atoms.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/dft/atom.hpp"
#include "stembridge/tb/tables/skf.hpp"

namespace stembridge::dft {

/// What stands for the potential of two atoms beside each other.
enum class Superposition {
    density,   ///< electrostatic potentials add up, exchange-correlation is that of the sum of densities
    potential  ///< Kohn-Sham potentials add up
};

/// An element as the two-centre integrals see it.
struct PseudoAtom {
    Atom wave;                                 ///< gives the orbitals
    Atom density;                              ///< gives the density and its potential
    std::vector<std::pair<int, int>> valence;  ///< (n, l) of the orbitals, one per l
};

/// How integrals over two atoms are computed.
struct TwoCentreOptions {
    Superposition superposition = Superposition::density;
    std::string functional = "pbe";
    double tolerance = 1e-6;  ///< largest change of an integral by the next finer grid, hartree
};

/// Integrals of one distance: [l1][l2][m], l1 on the first atom, l2 on the second, which lies in the
/// direction of +z; m <= min(l1, l2).
struct TwoCentreIntegrals {
    using Array = std::array<std::array<std::array<double, 4>, 4>, 4>;
    Array hamiltonian{};
    Array overlap{};
    double error = 0;  ///< largest change by the last refinement of the grid
};

/// Integrals of a pair of elements at any distance.
/// H = <a| -1/2 nabla^2 + V_A(r_A) + V_B(r_B) + v_xc[n_A + n_B] |b>, S = <a|b>; the confinement is not part
/// of H. Thread-safe.
/// @source Elstner et al., Phys. Rev. B 58, 7260 (1998), equations 3-5
class TwoCentre {
  public:
    TwoCentre(const PseudoAtom& first, const PseudoAtom& second, TwoCentreOptions options);
    ~TwoCentre();
    TwoCentre(TwoCentre&&) noexcept;
    TwoCentre& operator=(TwoCentre&&) noexcept;

    /// @param distance bohr, above 0.1
    /// @throw ConvergenceError when the finest grid does not reach the tolerance
    TwoCentreIntegrals at(double distance) const;

  private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// Distances at which they are tabulated.
struct TableOptions {
    double spacing = 0.02;        ///< bohr
    double first_distance = 0.4;  ///< bohr; rows before it are zero
    double longest = 24;          ///< bohr; the table ends here at the latest
    double end_tolerance = 5e-5;  ///< the table ends after a whole bohr with all integrals below this
};

/// Tables of both orders of a pair, without one-centre and repulsive data; the two are the same for equal
/// atoms. Distances run in parallel.
/// @throw StoppedError on request
std::pair<tb::SkfTable, tb::SkfTable> integral_tables(const TwoCentre& pair, const TableOptions& options,
                                                      const std::string& name, const Context& context);

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// Straightens raw coordinates with a force field, so that an expensive model has less to do.
#pragma once

#include "stembridge/base/context.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// When the force field straightens a structure and where it ends.
struct PreRelaxOptions {
    /// Structures whose root mean square force by the force field is below this are left as they are: an
    /// electronic model and the force field differ by less than 1 eV/angstrom at the minimum of either, and
    /// coordinates that are off by 0.1 angstrom feel more than 4. 0 = straighten whatever comes.
    double raw_force = 2 * units::electronvolt_per_angstrom;
    double max_force = 0.005 * units::electronvolt_per_angstrom;  ///< where it ends
    int max_steps = 3000;
};

/// What the force field did.
struct PreRelaxResult {
    bool done = false;        ///< false: the structure is untouched
    int steps = 0;            ///< evaluations of the force field
    double rms_force = 0;     ///< of the structure given, by the force field, hartree/bohr
    double max_force = 0;     ///< of the structure returned, by the force field, hartree/bohr
    double mean_move = 0;     ///< of an atom, bohr
    double largest_move = 0;  ///< of an atom, bohr
};

/// Relaxes a structure of H, C and Si in place with ForceField; fixed coordinates stay. Bonds are kept: those
/// between atoms of the structure given, whatever becomes of them.
/// @throw InputError for other elements, see ForceField::knows
PreRelaxResult pre_relax(Structure& structure, const PreRelaxOptions& options = {},
                         const Context& context = {});

}  // namespace stembridge::md

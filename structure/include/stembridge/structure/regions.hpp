// SPDX-License-Identifier: Apache-2.0
// Choosing a part of a sheet: what is amorphous, which surroundings atoms have, which patches show them.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {

/// When a part of a sheet of hexagons counts as amorphous.
struct AmorphousOptions {
    double radius = 8 * units::angstrom;  ///< of the disc around an atom that is judged, bohr
    /// Amorphous: more than this share of the disc's atoms lie in a ring that is no hexagon, or have not
    /// three bonds. A 555-777 defect alone makes 0.3, a grain boundary about 0.35.
    double disturbed_share = 0.5;
    int smallest = 12;  ///< smaller groups of such atoms are defects
    BondCriteria bonds;
};

/// Atoms of amorphous parts, ascending; empty for a structure of which less than half is a sheet of hexagons.
std::vector<int> amorphous_atoms(const Structure& structure, const AmorphousOptions& options = {});

/// What surrounds each atom, as a text that is equal for equal surroundings: element, elements bonded to it
/// and sizes of the rings it lies in, e.g. "C:CCC:5-6-7", and the same of its bonded neighbours. Insensitive
/// to noise of the positions, because only bonds and rings count.
/// @source rings: Franzblau, Phys. Rev. B 44, 4925 (1991); rings that meet at an atom as the name of its
/// surroundings (vertex symbols): O'Keeffe, Hyde, Zeolites 19, 370 (1997)
std::vector<std::string> environments(const Structure& structure, const BondGraph& graph,
                                      const std::vector<Ring>& rings);

/// A piece of a sheet: the atoms nearest to a point.
struct Patch {
    Eigen::Vector2d centre;       ///< bohr
    std::vector<int> atoms;       ///< ascending
    double similarity = 0;        ///< share of the frame's environments that occur in this patch
    double joint_similarity = 0;  ///< the same for this patch and those before it
    double mean_uncertainty = 0;  ///< of its atoms, in the unit of the input; 0 when there was none
};

/// Share of the atoms of `reference` whose environment occurs among `present`.
double similarity(const std::vector<std::string>& environments, const std::vector<int>& reference,
                  const std::vector<int>& present);

/// Draws patches of n atoms at random from the part of the sheet where a patch is in one piece (no hole, no
/// edge of the frame in it), far enough from each other not to overlap as long as that is possible. The
/// similarity counts atoms whose surroundings are whole: not on the outer edge, and for a patch all
/// neighbours inside it.
/// @param seed same seed, same patches  @throw InputError when no patch of n atoms fits
std::vector<Patch> random_patches(const Structure& structure, int n_atoms, int n_patches, std::uint64_t seed,
                                  const BondCriteria& bonds = {});

/// The patch of n atoms in one piece whose mean uncertainty is the highest, or the lowest.
/// @param uncertainty (n) of each atom, any unit  @throw InputError when no patch of n atoms fits or the
/// uncertainties are not one finite number per atom
Patch patch_by_uncertainty(const Structure& structure, const std::vector<double>& uncertainty, int n_atoms,
                           bool highest);

}  // namespace stembridge

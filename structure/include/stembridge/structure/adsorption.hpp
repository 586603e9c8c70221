// SPDX-License-Identifier: Apache-2.0
// Places on a sheet where something can be adsorbed, and what is put there.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {

/// A hollow (middle of a ring), a bridge (middle of a bond) or a top site (an atom) of a sheet.
struct AdsorptionSite {
    std::string kind;          ///< "hollow", "bridge", "top"
    std::vector<int> atoms;    ///< of the ring in order, of the bond, or the one
    Eigen::Vector3d position;  ///< in the sheet, bohr
    std::vector<int> rings;    ///< sizes of the rings that meet there, ascending
    int multiplicity = 1;      ///< how many sites of the region are equivalent to it
    double distance = 0;       ///< in the plane, from the middle of the region, bohr
    /// "hollow 7", "bridge 5-7", "top 5-6-7": its kind and the rings that meet there.
    std::string name() const;
};

/// Which sites are listed.
struct SiteOptions {
    std::vector<std::string> kinds = {"hollow", "bridge", "top"};
    std::optional<Eigen::Vector2d> centre;       ///< of the region, bohr; left out = the middle of the sheet
    double radius = 4 * units::angstrom;         ///< of the region in the plane, bohr
    bool inequivalent = true;                    ///< one of each set of equivalent sites
    double environment = 4.5 * units::angstrom;  ///< how far two sites must agree to be equivalent, bohr
    double tolerance = 0.25 * units::angstrom;   ///< and how well, bohr
    int largest_ring = 10;                       ///< larger faces are holes, no hollow sites
    BondCriteria bonds;
};

/// Sites of a sheet in a region, the nearest to its middle first. Atoms on the outer edge carry no sites, nor
/// do atoms that are adsorbed themselves. Two sites are equivalent when a rotation about the normal of the
/// sheet, with or without a reflection, brings every atom around the one onto an atom of the same element
/// around the other.
/// @throw InputError for an unknown kind, a radius that is not positive, or when no site lies in the region
std::vector<AdsorptionSite> adsorption_sites(const Structure& structure, const SiteOptions& options = {});

/// The kind and rings of the site nearest to a point over the sheet, e.g. for where an atom ended.
/// @param sheet without the adsorbate
AdsorptionSite nearest_site(const Structure& sheet, const Eigen::Vector3d& point,
                            const BondCriteria& bonds = {});

/// The adsorbates that this program knows: any element, and CH, CH2, CH3.
struct AdsorbateSpecies {
    int element = 0;     ///< of the atom that binds
    int n_hydrogen = 0;  ///< bonded to it
};

/// @param name "Cr", "CH3", ... @throw InputError for anything else
AdsorbateSpecies adsorbate_species(const std::string& name);

/// The adsorbate by itself around the origin, a cluster: the atom that binds first.
/// @param angle by which it is turned about +z, radian
Structure adsorbate_alone(const std::string& name, double angle = 0);

/// Height at which the binding atom is a sum of covalent radii away from the nearest atom of the site, but at
/// least half of that over the sheet. @return bohr
double natural_height(const Structure& structure, const AdsorptionSite& site, const std::string& species);

/// Puts an adsorbate over a site, on the +normal side (or the other one). Added atoms come last.
/// @param height of the binding atom over the site, bohr  @param angle by which a group is turned about the
/// normal, radian; at 0 its first H is over the bond (or the direction) from the site's first atom
/// @throw InputError when the height is not positive or atoms come too close
Structure with_adsorbate(const Structure& structure, const AdsorptionSite& site, const std::string& species,
                         double height, double angle = 0, bool below = false);

/// A structure with a bond less.
struct OpenedBond {
    Structure structure;
    std::vector<int> origin;  ///< index of each atom in the input
};
/// Opens a bond: both atoms move apart along it, by equal shares, to a new distance; from a bond to an H this
/// atom is taken away. @param length bohr
/// @throw InputError unless they are bonded and the new length is larger than the bond
OpenedBond with_open_bond(const Structure& structure, int i, int j, double length,
                          const BondCriteria& bonds = {});

}  // namespace stembridge

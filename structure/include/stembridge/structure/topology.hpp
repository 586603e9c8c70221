// SPDX-License-Identifier: Apache-2.0
// Bonds, rings, fragments, edges and defects of a structure, periodic or not.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/neighbor_list.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge {

/// When two atoms count as bonded: closer than a factor times the sum of their covalent radii.
struct BondCriteria {
    double factor = 1.25;           ///< of the sum of the covalent radii (C-C: 1.90 angstrom)
    double hydrogen_factor = 1.30;  ///< the same for pairs with an H (C-H: 1.39 angstrom)
    /// Longest bond of single pairs of elements, bohr, key (smaller, larger atomic number); wins over
    /// factors.
    std::map<std::pair<int, int>, double> longest;

    /// Longest bond of a pair of elements, bohr.
    double limit(int atomic_number_a, int atomic_number_b) const;
};

/// One bond, standing once: i < j, or i == j with an image whose first non-zero entry is positive.
struct Bond {
    int i = 0;
    int j = 0;
    std::array<int, 3> image = {0, 0, 0};  ///< how many lattice vectors atom j was moved by
    Eigen::Vector3d r_ij;                  ///< bohr
    double length = 0;                     ///< bohr
};

/// Which atoms are bonded to which.
class BondGraph {
  public:
    /// @throw InputError when the cell is singular in a periodic direction or a factor is not positive
    explicit BondGraph(const Structure& structure, const BondCriteria& criteria = {});
    /// The bonds found by other means. @param neighbors of each atom, ordered by index, then image; a bond
    /// stands at both of its atoms
    explicit BondGraph(std::vector<std::vector<Neighbor>> neighbors) : neighbors_(std::move(neighbors)) {}

    int n_atoms() const { return static_cast<int>(neighbors_.size()); }
    /// Bonded neighbours of an atom, ordered by index, then image.
    const std::vector<Neighbor>& of(int atom) const { return neighbors_[static_cast<std::size_t>(atom)]; }
    int coordination(int atom) const { return static_cast<int>(of(atom).size()); }
    /// Every bond once.
    std::vector<Bond> bonds() const;
    /// The same atoms with only the bonds between atoms whose entry in `kept` is true.
    BondGraph restricted_to(const std::vector<bool>& kept) const;

  private:
    std::vector<std::vector<Neighbor>> neighbors_;
};

/// Connected parts, the largest first (then by lowest atom); the atoms of each in ascending order.
std::vector<std::vector<int>> fragments(const BondGraph& graph);

/// A closed path of bonds, its atoms in order. In a periodic cell `images` holds the lattice translation of
/// each atom relative to the first, so that the ring can be drawn in one piece.
struct Ring {
    std::vector<int> atoms;
    std::vector<std::array<int, 3>> images;
    int size() const { return static_cast<int>(atoms.size()); }
};

/// Corners of a ring in one piece, (3, size), bohr.
Eigen::Matrix3Xd ring_positions(const Ring& ring, const Structure& structure);

/// All shortest-path rings: cycles in which no two atoms are joined by a path shorter than the one along the
/// ring. Paths are followed through periodic images, so a path that closes only by wrapping around is not a
/// ring; each ring stands once per cell, starting at its lowest atom.
/// @throw InputError unless 3 <= smallest <= largest <= 12
/// @source Franzblau, Phys. Rev. B 44, 4925 (1991), "shortest-path rings"
std::vector<Ring> find_rings(const BondGraph& graph, int smallest = 3, int largest = 10);

/// Number of rings of each size.
std::map<int, int> ring_counts(const std::vector<Ring>& rings);

/// Atoms that sit on a sheet instead of in it: out of the plane of their neighbours and bonded to two atoms
/// that are bonded to each other (an adsorbed metal atom over a hexagon, a bridging atom).
std::vector<int> adsorbed_atoms(const Structure& structure, const BondGraph& graph);

/// What surrounds the faces of a sheet: its outer edges and its holes.
struct SheetEdges {
    Eigen::Vector3d normal = Eigen::Vector3d::UnitZ();  ///< unit vector
    std::vector<int> outer;                             ///< atoms on outer (open) edges, ascending
    std::vector<Ring> holes;  ///< closed inner faces with more atoms than the largest ring
};

/// Outer edges and holes of a sheet, from walking around its faces; nothing when the bonds do not lie near
/// one plane. Atoms hanging on an edge atom without being in a ring (H, chains) belong to the outer edge as
/// well.
/// @param largest_ring faces of up to so many atoms are rings, not holes
std::optional<SheetEdges> find_edges(const Structure& structure, const BondGraph& graph,
                                     int largest_ring = 10);

/// A place where a sheet of hexagons is disturbed.
struct Defect {
    /// "5-7", "5-7-7-5" (Stone-Wales), "5-8-5" (divacancy), "555-777", "vacancy" (a hole of up to 16 atoms,
    /// alone or with one odd ring, or 5-9), "hole" (a larger one), "substitution" (not carbon), "disordered"
    /// (more than eight odd rings together), or else the sizes of its rings in ascending order ("5-7-8").
    std::string kind;
    std::vector<int> atoms;       ///< ascending, each once
    std::vector<int> ring_sizes;  ///< ascending; a hole counts as one ring; empty for a substitution
    Eigen::Vector3d centre;       ///< mean of its atoms in one piece, bohr
};

/// Defects of a carbon sheet: non-hexagonal rings and holes that share an atom make one defect, bonded
/// foreign atoms another. The open outer edge is no defect. The largest comes first.
std::vector<Defect> find_defects(const Structure& structure, const BondGraph& graph,
                                 const std::vector<Ring>& rings, const std::optional<SheetEdges>& edges);

}  // namespace stembridge

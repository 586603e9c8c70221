// SPDX-License-Identifier: Apache-2.0
// From detected atoms to a cell that can be simulated: repair, crop, terminate, centre, fix; and ideal
// structures.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stembridge/base/units.hpp"
#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/planar_lattice.hpp"
#include "stembridge/structure/regions.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {

/// An atom that a builder took away.
struct RemovedAtom {
    int index = 0;  ///< in the structure given to the builder that removed it (for detections: in their list)
    int atomic_number = 0;
    Eigen::Vector3d position;  ///< bohr
    std::string reason;
};

/// What the builders did, for the log and the report.
struct BuildReport {
    std::vector<std::string> messages;  ///< each thing done, readable
    std::vector<std::string> warnings;  ///< what the user should look at
    std::vector<RemovedAtom> removed;
    std::map<std::string, int> counters;       ///< "removed", "merged", "hydrogen_added", ...
    std::vector<Patch> patches;                ///< what crop() drew at random, or chose by uncertainty
    std::optional<PlanarLattice> lattice;      ///< what periodic_supercell() cut along
    std::optional<PlanarSupercell> supercell;  ///< and the cell that it chose

    void remove(int index, int atomic_number, const Eigen::Vector3d& position, const std::string& reason);
};

/// A structure made from another one.
struct Derived {
    Structure structure;
    std::vector<int> origin;  ///< (n) index of each atom in the input, -1 = added
};

// --- from detections
// -------------------------------------------------------------------------------------------

/// Which detections become atoms.
struct DetectionOptions {
    double min_probability = 0.5;  ///< detections below are left out
    bool refuse_unknown = false;   ///< unknown species (atomic number 0): refuse, or leave out with a warning
};

/// A planar cluster (z = 0) at the calibrated positions of the detections; `origin` counts in the detections.
/// @throw InputError when nothing is left, a position is not finite, or an unknown species is refused
Derived structure_from_detections(const Detections& detections, const DetectionOptions& options,
                                  BuildReport& report);

// --- repair
// ----------------------------------------------------------------------------------------------------

/// What is done where atoms are impossibly close or far apart.
struct RepairOptions {
    enum class Short { merge, remove, refuse };
    /// What to do with two atoms that are too close: one atom at their weighted mean with the element of the
    /// more probable one, drop the less probable one, or refuse.
    Short on_short = Short::merge;
    double shortest_factor =
        0.70;  ///< of the sum of covalent radii (C-C: 1.06 angstrom); closer is too short
    /// Shortest contact of single pairs of elements, bohr, key (smaller, larger atomic number).
    std::map<std::pair<int, int>, double> shortest;
    double long_bond_factor = 1.15;  ///< bonds longer than this times the sum of covalent radii are reported
    BondCriteria bonds;
};

/// Resolves contacts that are too short, the closest first.
/// @param probability (n) weight of each atom; empty = all equal (then the one with more bonds stays)
/// @throw InputError for a short contact when they are refused, naming the atoms
Derived repair_short_bonds(const Structure& structure, const std::vector<double>& probability,
                           const RepairOptions& options, BuildReport& report);

/// Reports bonds that are unusually long, with the numbers the atoms had in the input that `origin` counts
/// in.
void report_long_bonds(const Derived& derived, const RepairOptions& options, BuildReport& report);

/// How far and how stiffly bonds are drawn to one length.
struct RegulariseOptions {
    double bond_length = 1.42 * units::angstrom;       ///< of C-C, bohr
    double max_displacement = 0.15 * units::angstrom;  ///< per atom, bohr
    double restoring_stiffness = 0.1;  ///< spring to the measured position, relative to the bond spring
    int iterations = 200;
    BondCriteria bonds;
};

/// Moves atoms gently in the plane towards an even C-C length; removes noise of the detection, and some
/// truth.
Structure regularise_in_plane(const Structure& structure, const RegulariseOptions& options,
                              BuildReport& report);

// --- crop
// ------------------------------------------------------------------------------------------------------

/// Which part of a structure is cut out.
struct CropOptions {
    /// uncertain and certain: the patch whose atoms have the highest or lowest mean uncertainty; random: one
    /// of several patches drawn at random.
    enum class By { nearest, radius, polygon, defect, uncertain, certain, random };
    By by = By::nearest;
    Eigen::Vector2d centre = Eigen::Vector2d::Zero();  ///< x, y in bohr; for nearest and radius
    int n_atoms = 0;                                   ///< for all but radius and polygon
    double radius = 0;                                 ///< bohr, for radius
    std::vector<Eigen::Vector2d> polygon;              ///< corners, bohr
    int defect =
        0;  ///< which one for defect, in the order of find_defects over rings and holes (0 = largest)
    std::string defect_kind;          ///< only defects of this kind, e.g. "5-7-7-5"; empty = any
    std::vector<double> uncertainty;  ///< (n) of each atom, for uncertain and certain; any unit
    int n_patches = 5;                ///< for random
    int patch = 0;                    ///< which of them is cut out
    std::uint64_t seed = 1;           ///< for random
    /// Make an edge that can be terminated: take in atoms with two bonds into the crop, leave out those with
    /// one, so that hydrogen atoms do not collide. nearest and defect then look for a crop of exactly
    /// n_atoms.
    bool clean_edge = true;
    BondCriteria bonds;
};

/// Cuts a cluster out of a sheet, seen along z; the result keeps positions and is not periodic.
/// @throw InputError when the region holds no atoms, the middle of nearest lies outside of the structure, a
/// size is not positive, there are fewer atoms than asked for, or there is no such defect
Derived crop(const Structure& structure, const CropOptions& options, BuildReport& report);

/// The point that a crop is around: as given, or the middle of the polygon, defect or patch.
/// @throw InputError as crop()
Eigen::Vector2d crop_centre(const Structure& structure, const CropOptions& options, BuildReport& report);

/// Takes amorphous parts out of a sheet, so that they count as vacuum. @throw InputError when nothing is left
Derived remove_amorphous(const Structure& structure, const AmorphousOptions& options, BuildReport& report);

/// Cuts a cell that repeats in the plane out of a sheet: the supercell nearest to what is wanted around a
/// point, its border where the fewest atoms are near. The sheet is strained to the cell, atoms that stand on
/// both sides of the border are merged by repair_short_bonds() afterwards. Along z nothing repeats.
/// @throw InputError without a lattice, when no supercell is within the largest strain, or when the sheet
/// does not fill half of it
Derived periodic_supercell(const Structure& structure, const Eigen::Vector2d& centre,
                           const SupercellOptions& options, BuildReport& report);

/// Removes atoms with less than two bonds again and again, then every fragment but the largest. Hydrogen
/// atoms bonded to something stay.
/// @throw InputError when nothing would be left
Derived remove_dangling(const Structure& structure, BuildReport& report, const BondCriteria& bonds = {});

// --- edges
// -----------------------------------------------------------------------------------------------------

/// Which dangling bonds get an H, and where it is put.
struct TerminationOptions {
    enum class Where { outer_edge, everywhere };
    Where where =
        Where::outer_edge;  ///< outer_edge leaves the dangling bonds of vacancies inside as they are
    double bond_length = 1.09 * units::angstrom;       ///< C-H, bohr
    double closest_hydrogens = 1.5 * units::angstrom;  ///< H-H below are tilted apart, bohr
    int charge = 0;                                    ///< for the check of the electron count
    BondCriteria bonds;
};

/// Ends two-fold carbon with one H along minus the sum of its unit bond vectors (one-fold carbon with two H
/// at 120 degrees). Added atoms come last. Warns of H-H contacts that stay short and of an odd number of
/// electrons.
Derived terminate_with_hydrogen(const Structure& structure, const TerminationOptions& options,
                                BuildReport& report);

/// Puts the structure in the middle of an orthogonal box: extent plus vacuum along each non-periodic
/// direction; periodic directions stay as they are.
/// @param vacuum total margin per direction, bohr  @param periodic repeat the box in the directions that were
/// not periodic  @throw InputError for an empty structure or a vacuum that is not positive
Structure center_in_box(const Structure& structure, const Eigen::Vector3d& vacuum, bool periodic = false);
/// The same vacuum in all directions.
Structure center_in_box(const Structure& structure, double vacuum = 20 * units::angstrom,
                        bool periodic = false);

/// Atoms (from 0) that a text names: "all", "perimeter" (outer edge and the H on it), "species:H" (may be
/// none), "indices:1,2,5-9" (counted from 1).
/// @throw InputError for another text (the message says what is accepted), an index out of range, or a
/// structure without a perimeter
std::vector<int> select_atoms(const Structure& structure, const std::string& selection,
                              const BondCriteria& bonds = {});

/// Holds coordinates fixed by a rule, in addition to what is fixed already.
/// Rules: those of select_atoms, each with an optional suffix ":x", ":y", ":z" or any combination (":xy");
/// "xy" and the like alone mean "all:xy"; "none" frees all.
/// @throw InputError as select_atoms, and where the structure has no such atom
void fix_atoms(Structure& structure, const std::string& rule, const BondCriteria& bonds = {});

// --- the whole stage
// -------------------------------------------------------------------------------------------

/// The steps from detections to a structure; what is empty is not done.
struct BuildOptions {
    std::optional<RepairOptions> repair = RepairOptions{};
    std::optional<RegulariseOptions> regularise;
    std::optional<AmorphousOptions> amorphous;  ///< take amorphous parts out
    std::optional<CropOptions> crop;
    std::optional<SupercellOptions>
        cell;  ///< a periodic cell instead of a cluster; a crop then says only where
    bool remove_dangling = true;
    std::optional<TerminationOptions> terminate = TerminationOptions{};
    Eigen::Vector3d vacuum = Eigen::Vector3d::Constant(20 * units::angstrom);  ///< bohr, per direction
    bool periodic = false;
    std::vector<std::string> fix;  ///< rules of fix_atoms
    BondCriteria bonds;            ///< used by every step
};

/// repair, regularise, remove amorphous parts, crop (or cut a periodic cell and repair its seam), remove
/// dangling atoms, terminate, centre, fix: the steps asked for, in this order. Warns of images of a cluster
/// that come closer than 8 angstrom.
/// @param probability (n) of each atom, or empty
Derived build_cluster(const Structure& structure, const std::vector<double>& probability,
                      const BuildOptions& options, BuildReport& report);

// --- ideal structures
// ------------------------------------------------------------------------------------------

/// n[k] copies along each lattice vector; copies of the whole cell follow each other. @throw InputError
/// unless n > 0, or when n > 1 along a direction that is not periodic
Structure supercell(const Structure& structure, const std::array<int, 3>& n);

/// The cell with the vectors A M, for lattice vectors A: any supercell of any lattice. Atoms are brought into
/// it. @param m columns count the old vectors in each new one  @throw InputError when det(M) is not positive
/// or M mixes a direction that does not repeat with others
Structure matrix_supercell(const Structure& structure, const Eigen::Matrix3i& m);

/// A slab of a crystal with the surface (hkl): shortest primitive vectors in the plane along x and in the xy
/// plane, the normal along z, which does not repeat.
/// @param layers thickness in lattice planes of the crystal's cell  @param vacuum bohr, over and under the
/// slab together  @throw InputError unless the crystal repeats in three directions, hkl is not (000), and
/// layers and vacuum are positive
Structure surface_slab(const Structure& crystal, const std::array<int, 3>& hkl, int layers, double vacuum);

/// Graphene of nx x ny orthorhombic cells (4 atoms, sqrt(3) d x 3 d, zigzag along x), periodic in x, y and z.
/// @param bond_length bohr  @param height of the cell, bohr
Structure graphene_sheet(int nx, int ny, double bond_length = 1.42 * units::angstrom,
                         double height = 20 * units::angstrom);

/// Round flake around the centre of a hexagon at the origin, every atom with at least two bonds; a cluster
/// without cell.
/// @param radius bohr  @throw InputError when not even one hexagon fits
Structure graphene_flake(double radius, double bond_length = 1.42 * units::angstrom);

/// The structure without these atoms. @throw InputError for an index out of range
Structure without_atoms(const Structure& structure, const std::vector<int>& atoms);

/// Turns the bond of two bonded atoms by 90 degrees about z: a Stone-Wales defect in graphene. Springs along
/// the new bonds then relax its surroundings roughly.
/// @throw InputError when they are not bonded
Structure with_rotated_bond(const Structure& structure, int i, int j, const BondCriteria& bonds = {});

/// Removes two bonded atoms and pulls their former neighbours together to two new bonds, with the
/// surroundings roughly relaxed: a 5-8-5 divacancy.
/// @param new_bond_length bohr  @throw InputError unless i and j are bonded and each has two other neighbours
Structure with_divacancy(const Structure& structure, int i, int j,
                         double new_bond_length = 1.6 * units::angstrom, const BondCriteria& bonds = {});

/// Another element in place of an atom.
Structure with_substitution(const Structure& structure, int atom, int atomic_number);

// --- adsorbates
// ------------------------------------------------------------------------------------------------

/// What is adsorbed, and where.
struct AdsorbateOptions {
    std::string species = "Cr";   ///< Cr (or any element symbol), CH, CH2, CH3
    std::string site = "hollow";  ///< hollow, bridge, top
    std::optional<int> at;        ///< atom of the site, from 0; default: the one nearest to the middle
    double height = 2.0 * units::angstrom;  ///< of the first adsorbed atom over the site, bohr
    BondCriteria bonds;
};

/// Puts an atom or a CHn group over a sheet, on the +normal side. Added atoms come last.
/// @throw InputError for an unknown species or site, an atom out of range, no such site at the atom
Structure add_adsorbate(const Structure& structure, const AdsorbateOptions& options);

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Topology over time: bonds, rings and defects of a structure followed through the frames of a trajectory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/structure/analysis.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {

/// A frame whose atoms do not jump by a lattice vector: each is moved to the image nearest to where it was.
/// @param previous the frame before, unwrapped; the same atoms  @throw InputError when the atoms differ
Structure unwrapped(const Structure& frame, const Structure& previous);

/// A bond that came or went.
struct BondEvent {
    double time = 0;  ///< of the first frame that shows it, in the unit given to BondTracker
    bool formed = false;
    int i = 0, j = 0;   ///< i <= j
    double length = 0;  ///< in that frame, bohr
};

/// Follows the bonds of a trajectory. A bond is made when a pair comes closer than `criteria` say, and broken
/// when it is further apart than `break_factor` times that: a vibration about one limit makes no events.
class BondTracker {
  public:
    /// @param break_factor at least 1; 1.15 breaks C-C at 2.19 angstrom and C-H at 1.60
    /// @throw InputError for a smaller one
    explicit BondTracker(BondCriteria criteria = {}, double break_factor = 1.15);
    /// The bonds of the next frame. @param frame not wrapped, see unwrapped()
    /// @throw InputError when it has other atoms than the first
    const BondGraph& update(double time, const Structure& frame);
    /// In the order of time; the bonds of the first frame are none.
    const std::vector<BondEvent>& events() const { return events_; }

  private:
    using Key = std::pair<int, std::array<int, 3>>;  ///< neighbour and its image
    BondCriteria criteria_;
    double break_factor_;
    std::vector<int> atomic_numbers_;
    std::vector<std::map<Key, double>> bonded_;  ///< of each atom -> length
    std::optional<BondGraph> graph_;
    std::vector<BondEvent> events_;
};

/// What hangs on a sheet or has left it: "adatom" (sits on top, see adsorbed_atoms()), "dangling chain"
/// (atoms other than H that are held at one end only, a single one included) and "fragment" (not bonded to
/// the largest part). Sorted by kind, then lowest atom.
std::vector<Defect> find_appendages(const Structure& structure, const BondGraph& graph);

/// One defect through time.
struct DefectTrack {
    int id = 0;  ///< counted from 1 in the order of appearance
    std::string kind;
    double appeared = 0;   ///< time of the first frame that shows it
    double last_seen = 0;  ///< time of the last frame that shows it
    int frames = 0;        ///< that show it
    bool from_start = false;
    bool to_end = false;
    std::vector<int> atoms;     ///< when last seen
    Eigen::Vector3d centre;     ///< when last seen, bohr
    std::optional<int> became;  ///< id of the defect found among its atoms after it
};

/// Recognises defects again from frame to frame: the same kind, and at least half of the atoms of the smaller
/// of both.
class DefectTracker {
  public:
    /// @param memory frames a defect may be missing without having gone
    explicit DefectTracker(int memory = 1) : memory_(memory) {}
    void update(double time, const std::vector<Defect>& defects);
    /// Every defect seen so far, in the order of appearance.
    std::vector<DefectTrack> tracks() const;

  private:
    struct Followed {
        DefectTrack track;
        int missing = 0;
    };
    int memory_;
    bool begun_ = false;
    std::vector<Followed> all_;
};

/// A ring with the means of its bonds and angles over the frames in which it stands.
struct RingRecord {
    Ring ring;
    int frames = 0;
    double first = 0, last = 0;  ///< times of the first and the last frame with it
    /// Bond k joins atoms k and k + 1 of the ring, bohr; angle k is at atom k, radian.
    std::vector<double> bond_means, bond_deviations, angle_means, angle_deviations;
    double mean_bond = 0;   ///< of all bonds and frames, bohr
    double mean_angle = 0;  ///< radian
};

/// Bond lengths and angles ring by ring.
class RingStatistics {
  public:
    void update(double time, const Structure& frame, const std::vector<Ring>& rings);
    /// Small rings first, then by lowest atom.
    std::vector<RingRecord> records() const;
    int frames() const { return frames_; }

  private:
    using Key = std::pair<std::vector<int>, std::vector<std::array<int, 3>>>;
    struct Sums {
        int frames = 0;
        double first = 0, last = 0;
        Eigen::ArrayXd bonds, bond_squares, angles, angle_squares;
    };
    int frames_ = 0;
    std::map<Key, Sums> sums_;
};

/// The topology of one frame, as numbers.
struct FrameTopology {
    double time = 0;
    std::map<int, int> ring_counts;
    std::map<std::string, int> defects;  ///< kind -> how many, appendages included
    double hole_area = 0;                ///< faces of at least 9 atoms, bohr^2
    int n_bonds = 0;
    int n_fragments = 0;

    int hexagons() const;
};

/// Area of the holes of a sheet: rings of at least `smallest` atoms and holes, seen along the normal, bohr^2.
double hole_area(const Structure& structure, const StructureAnalysis& analysis, int smallest = 9);

/// All of this for a trajectory, frame by frame.
class TopologyTracker {
  public:
    explicit TopologyTracker(AnalysisOptions options = {}, double break_factor = 1.15, int memory = 1)
        : options_(std::move(options)), bonds_(options_.bonds, break_factor), defects_(memory) {}
    /// @param frame as it stands in the file; it is unwrapped here  @param time in any unit, rising
    /// @throw InputError when it has other atoms than the first
    void update(double time, const Structure& frame);

    const std::vector<FrameTopology>& frames() const { return frames_; }
    const std::vector<BondEvent>& bond_events() const { return bonds_.events(); }
    std::vector<DefectTrack> defects() const { return defects_.tracks(); }
    const RingStatistics& rings() const { return rings_; }

  private:
    AnalysisOptions options_;
    BondTracker bonds_;
    DefectTracker defects_;
    RingStatistics rings_;
    std::vector<FrameTopology> frames_;
    std::optional<Structure> previous_;
};

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
// Atoms followed through a series of frames: which is which, which are new, which are gone, which changed
// element.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/structure/detection.hpp"

namespace stembridge::ml {

/// The atoms of one frame, with calibrated positions.
struct FrameAtoms {
    Detections atoms;
    double width_px = 0;  ///< 0: the frame could not be used and says nothing of any atom
    double height_px = 0;
    /// Of the calibration: position in angstrom = angstrom_per_pixel * (x_px, y_px).
    Eigen::Matrix2d angstrom_per_pixel = Eigen::Matrix2d::Identity();
};

/// When two atoms of following frames are the same.
struct TrackOptions {
    double gate_angstrom = 0.7;         ///< farthest an atom moves from frame to frame once drift is removed
    double largest_drift_angstrom = 6;  ///< of the whole view from frame to frame
    int memory = 2;                     ///< usable frames an atom may be missed before it counts as gone
    int confirmed_after = 2;            ///< frames an atom must be seen in to count in the events
    double border_angstrom = 1.0;       ///< an atom that comes or goes so near to the border entered or left
    double element_penalty = 0.25;      ///< of a pair of unlike elements, in units of the gate squared
};

/// An atom of a track in one frame.
struct TrackPoint {
    int frame = 0;
    int index = 0;             ///< of the detection in its frame
    Eigen::Vector2d position;  ///< angstrom, in the view of the first frame (drift removed)
};

/// One atom through the series; frames ascend, with gaps where it was missed.
struct Track {
    std::vector<TrackPoint> points;
};

/// What became of an atom. What happens within `memory` frames of the start or the end of the series is left
/// open: the atom may have been missed.
struct TrackEvent {
    enum class Kind { appeared, vanished, entered, left, changed };
    Kind kind = Kind::appeared;
    int track = 0;
    int frame = 0;             ///< first frame in which it is so
    Eigen::Vector2d position;  ///< angstrom, in the view of the first frame
    int from = 0;              ///< atomic number before, for a change
    int to = 0;                ///< atomic number after
};

/// "appeared", "vanished", "entered", "left", "changed"
const char* name_of(TrackEvent::Kind kind);

/// Atoms followed through a series.
struct Tracking {
    std::vector<Track> tracks;
    std::vector<TrackEvent> events;  ///< by frame
    /// Of each frame against the first: position in the first view = stretch * position + shift.
    std::vector<Eigen::Vector2d> shift_angstrom;
    std::vector<Eigen::Matrix2d> stretch;
    std::vector<int> matched;      ///< atoms of each frame that continue a track
    double step_rms_angstrom = 0;  ///< of the moves of atoms from frame to frame, per axis
};

/// Follows atoms through a series. For every frame: the drift of the view against the tracks (best overlap of
/// elements, then least squares of an affine map), then the assignment of least total squared distance under
/// the gate.
/// @source Kuhn, Naval Research Logistics Quarterly 2, 83 (1955) for the assignment
/// @throw InputError for a gate or border that is not positive
/// @throw StoppedError when the context asks to stop
Tracking track_atoms(const std::vector<FrameAtoms>& frames, const TrackOptions& options = {},
                     const Context& context = {});

/// Columns of the cheapest assignment: result[row] = column. Every row gets a column.
/// @param cost (rows, columns), rows <= columns
std::vector<int> cheapest_assignment(const Eigen::MatrixXd& cost);

}  // namespace stembridge::ml

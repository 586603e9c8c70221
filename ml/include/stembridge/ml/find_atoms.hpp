// SPDX-License-Identifier: Apache-2.0
// From a frame to atoms: calibration, segmentation, sub-pixel positions, classes, filters.
#pragma once

#include "stembridge/ml/calibrate.hpp"
#include "stembridge/ml/classical_detector.hpp"
#include "stembridge/ml/frame_confidence.hpp"
#include "stembridge/ml/frame_regions.hpp"
#include "stembridge/ml/network.hpp"
#include "stembridge/ml/row_correction.hpp"

namespace stembridge::ml {

/// How the atoms of a frame look: brighter or darker than the hollows.
enum class AtomContrast { automatic, bright, dark };

/// Where positions come from: the network's blobs alone; a maximum-likelihood fit to the frame alone; the fit
/// together with what the network has learnt of positions; the fit together with the neighbours in the
/// lattice.
enum class Positions { blobs, fit, network, lattice };

/// What the lattice is used to straighten: nothing but the scale, an affine map, or every row on top of that.
enum class ScanCorrection { scale, affine, rows };

/// How a frame is calibrated and which atoms are kept.
struct FindAtomsOptions {
    std::optional<double>
        pixel_size_angstrom;           ///< nominal; else the image's own; else found from the lattice
    bool calibrate = true;             ///< false: trust the nominal size, no correction of the scan
    bool require_lattice = false;      ///< true: a frame that cannot be calibrated is an error
    double minimum_probability = 0.5;  ///< of an atom to be kept
    double minimum_distance_angstrom = 0.8;
    ScanCorrection correction = ScanCorrection::affine;  ///< where calibrate is set
    AtomContrast contrast = AtomContrast::automatic;     ///< automatic: told by the lattice
    Positions positions = Positions::network;            ///< without a network: fit instead of network
    ClassicalOptions classical;
};

/// Atoms of a frame and how they were found.
struct FindAtomsResult {
    Detections atoms;                ///< of the network; of the classical detector when there is none
    Detections baseline;             ///< of the classical detector
    LatticeCalibration calibration;  ///< what turned pixels into angstrom
    bool calibrated = false;         ///< by the lattice (false: nominal size)
    RowCorrection rows;              ///< displacement of rows that was taken out on top of it
    double lattice_deviation_angstrom =
        0;          ///< of atoms from their neighbours' middle, where the lattice is used
    Pixels mean;    ///< probability of an atom, (height, width) of the frame
    Pixels spread;  ///< its standard deviation over the ensemble
    Pixels region;  ///< 1 where atoms can be trusted: no contamination
    Pixels vacuum;  ///< 1 in large holes and beyond the edge of the sheet; part of the region
    Pixels sheet() const { return region * (1.0f - vacuum); }
    BondStatistics bonds;
    FrameConfidence confidence;  ///< that this is graphene; probabilities of atoms contain it
    std::string method;          ///< "network" or "classical"
    bool inverted = false;  ///< the atoms are dark: the frame was turned over before they were looked for
    int outliers = 0;       ///< single hot or dead pixels that were replaced
    double saturated_share = 0;  ///< of the pixels, see saturated_share()
};

/// Share of the pixels that stand at the largest value because nothing larger could be recorded; 0 where the
/// largest value is no heap (at most a thousandth of the pixels, or not half as many again as have the next
/// smaller value).
double saturated_share(const Pixels& pixels);

/// Finds the atoms of a frame. Dark atoms, single hot pixels and saturation are told to the context as
/// warnings.
/// @param network may be null: then the classical detector gives the atoms
/// @throw InputError for pixels that are NaN or constant, a pixel size that is missing or off, no atoms found
/// @throw NumericalError when calibrate is set, no lattice is found, and there is no nominal size or
/// require_lattice is set
FindAtomsResult find_atoms(const Image& image, SegmentationNetwork* network,
                           const FindAtomsOptions& options = {}, const Context& context = {});

}  // namespace stembridge::ml

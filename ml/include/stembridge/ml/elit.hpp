// SPDX-License-Identifier: Apache-2.0
// Ensemble learning with iterative training: experimental frames that the ensemble labels for itself.
#pragma once

#include "stembridge/ml/find_atoms.hpp"
#include "stembridge/ml/training.hpp"

namespace stembridge::ml {

/// How physical a set of atoms of graphene is.
/// @source criteria of member selection: Ghosh et al., npj Comput. Mater. 7, 100 (2021)
struct PhysicalScore {
    int atoms = 0;
    double bonded = 0;     ///< share of the atoms with a neighbour at 1.15 to 2.0 angstrom
    double threefold = 0;  ///< share of the inner atoms with three such neighbours
    double too_close = 0;  ///< share of the atoms with another closer than 1.0 angstrom
    double alone = 0;      ///< share of the atoms without another within 2.2 angstrom: in vacuum or noise
    double rings = 0;      ///< 6-rings per atom, up to 0.5 for a whole sheet

    /// One number to rank by: 1 for a perfect sheet, less for every artefact.
    double value() const { return 0.5 * (threefold + 2 * rings) * bonded - 2 * too_close - 2 * alone; }
};

/// @param atoms of one frame, with calibrated positions
PhysicalScore physical_score(const Detections& atoms);

/// Of several frames together: the means of the shares, weighted by the atoms of each.
PhysicalScore mean_score(const std::vector<PhysicalScore>& frames);

/// What of a frame is taken for a label.
struct LabelOptions {
    double confident = 0.9;  ///< probability of an atom that becomes a label
    double doubtful = 0.15;  ///< probability from which something that is no label hides its surroundings
    double hidden_angstrom = 0.9;  ///< radius of what is hidden
};

/// A frame with the ensemble's confident atoms as labels, on the grid of its networks. Trusted is what is
/// clean, without the surroundings of atoms that are not certain: a probability in between, members that do
/// not agree, or a class that the Gaussian mixture on the local intensity (the classical detector's) denies.
/// @param found result of find_atoms with that ensemble, with a low minimum_probability
LabelledFrame self_labelled(const Image& image, const FindAtomsResult& found, int members,
                            double grid_angstrom, const LabelOptions& options = {});

/// The confident atoms of a result, as self_labelled takes them.
Detections confident_atoms(const FindAtomsResult& found, int members, const LabelOptions& options = {});

}  // namespace stembridge::ml

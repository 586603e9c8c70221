// SPDX-License-Identifier: Apache-2.0
// Published micrographs with positions that others found in them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::atom_finder {

/// A published position; atomic number 0 = any.
struct KnownAtom {
    double x_px = 0;
    double y_px = 0;
    int atomic_number = 0;
};

struct KnownFrame {
    Image image;
    std::vector<KnownAtom> atoms;  ///< not always all of them
    double likely_pixel_angstrom =
        0;  ///< where the frame does not say it and its lattice may not show; 0 = no
};

/// Grain boundary of graphene, 512 x 512, 606 positions of another group's network.
KnownFrame grain_boundary_frame(const std::filesystem::path& reference);

/// Si defects in graphene with their first-shell C, confirmed by people; 112 frames. Their scale is not
/// recorded: those whose lattice shows are nearly all 20 angstrom wide, which is what is likely of the
/// others.
/// @param every takes each n-th of them
std::vector<KnownFrame> silicon_frames(const std::filesystem::path& reference, int every = 1);

/// The paper's frame with the positions that its network found.
KnownFrame paper_frame(const std::filesystem::path& reference);

/// What is found of known positions, within half an angstrom, closest first.
struct Recall {
    int known = 0, hits = 0;
    int silicon = 0, silicon_hits = 0, silicon_right = 0;
    int carbon_called_silicon = 0;
    double recall() const { return known > 0 ? static_cast<double>(hits) / known : 0; }
    double silicon_recall() const { return silicon > 0 ? static_cast<double>(silicon_right) / silicon : 0; }
    Recall& operator+=(const Recall& other);
};
Recall recall_of(const Detections& found, const KnownFrame& frame, double pixel_angstrom);

}  // namespace stembridge::atom_finder

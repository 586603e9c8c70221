// SPDX-License-Identifier: Apache-2.0
// What the members of an ensemble say of each atom: spread of probability and position, votes.
#pragma once

#include <vector>

#include "stembridge/ml/network.hpp"

namespace stembridge::ml {

/// One atom as the members of an ensemble see it.
struct Votes {
    double spread = 0;       ///< standard deviation of its probability over the members
    double position_px = 0;  ///< standard deviation of its centroid over the members, per axis
    int any = 0;             ///< members that find an atom there (probability at least a half)
    int same_class = 0;      ///< members that find one of the same class
};

/// Probability of an atom from the share of its disc that a network fills. Discs blur where the place is not
/// sure, so that their share says too little: Platt's scaling, logit p = logit share + offset.
double probability_of_share(double share);

/// Votes for atoms at given positions; all zero but one vote each for a single network.
/// @param centres on the grid of the segmentation  @param atomic_numbers of each
/// @param disc_px radius of the discs that the networks are trained on
std::vector<Votes> votes_of(const Segmentation& segmentation, const std::vector<Eigen::Vector2d>& centres,
                            const std::vector<int>& atomic_numbers, double disc_px);

}  // namespace stembridge::ml

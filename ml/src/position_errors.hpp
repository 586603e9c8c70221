// SPDX-License-Identifier: Apache-2.0
// How well the fit has told the positions of the atoms.
#pragma once

#include "frame_model.hpp"

namespace stembridge::ml {

/// Sets fit_angstrom, sigma_angstrom and, of known starts, start_angstrom of the atoms that were found.
/// The covariance of a position is the inverse of Fisher's information of the atom and the neighbours that
/// are fitted with it (brightness and position of each), times the correlation of the noise.
void predict_errors(FrameModel& frame, const KnownStarts& known);

}  // namespace stembridge::ml

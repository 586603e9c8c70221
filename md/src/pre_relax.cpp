// SPDX-License-Identifier: Apache-2.0
#include "stembridge/md/pre_relax.hpp"

#include <cmath>

#include "coordinates.hpp"
#include "stembridge/md/force_field.hpp"
#include "stembridge/md/relax.hpp"

namespace stembridge::md {

PreRelaxResult pre_relax(Structure& structure, const PreRelaxOptions& options, const Context& context) {
    ForceField model(structure);
    Evaluation start;
    model.evaluate(structure, {}, start, context);
    PreRelaxResult result;
    const FreeCoordinates free(structure);
    if (free.size() == 0) return result;
    result.rms_force = free.gather(start.forces).norm() / std::sqrt(free.size() / 3.0);
    if (result.rms_force < options.raw_force) return result;

    const Eigen::Matrix3Xd before = structure.positions;
    RelaxOptions relaxation;
    relaxation.max_force = options.max_force;
    relaxation.max_steps = options.max_steps;
    const RelaxResult end = relax(structure, model, relaxation, {}, context);
    const Eigen::RowVectorXd moves = (structure.positions - before).colwise().norm();
    result.done = true;
    result.steps = end.steps;
    result.max_force = end.max_force;
    result.mean_move = moves.mean();
    result.largest_move = moves.maxCoeff();
    return result;
}

}  // namespace stembridge::md

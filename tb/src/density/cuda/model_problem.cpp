// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/model_problem.hpp"

#include <cmath>

#include "stembridge/base/random.hpp"
#include "stembridge/structure/builders.hpp"

namespace stembridge::tb {
namespace {

const ElementData carbon = {.atomic_number = 6,
                            .symbol = "C",
                            .n_shells = 2,
                            .onsite = {-0.5, -0.2, 0},
                            .hubbard = {0.4, 0.4, 0},
                            .occupation = {2, 2, 0}};

}  // namespace

ModelProblem::ModelProblem(double radius, double range)
    : structure(graphene_flake(radius)),
      basis(structure, {carbon}),
      pattern(basis, structure, [range](int, int) { return range; }),
      hamiltonian(pattern),
      overlap(pattern),
      n_electrons(basis.neutral_shells().sum()) {
    Random random(1);
    for (const Block& b : pattern.blocks()) {
        auto h = hamiltonian.block(b), s = overlap.block(b);
        const double decay = std::exp(-b.distance / 2);
        for (Eigen::Index j = 0; j < h.cols(); ++j)
            for (Eigen::Index i = 0; i < h.rows(); ++i) {
                h(i, j) = b.on_site() ? 0 : 0.5 * decay * random.normal();
                s(i, j) = b.on_site() ? 0 : 0.15 * decay * random.normal();
            }
        if (!b.on_site()) continue;
        s.diagonal().setOnes();
        h.diagonal().setConstant(carbon.onsite[1] + 0.05 * random.normal());
        h(0, 0) = carbon.onsite[0];
    }
}

}  // namespace stembridge::tb

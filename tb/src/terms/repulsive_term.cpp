// SPDX-License-Identifier: Apache-2.0
#include "terms/repulsive_term.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

const SkfRepulsive& RepulsiveTerm::pair(int i, int j) const {
    return parameters_.repulsive(element_[static_cast<std::size_t>(i)],
                                 element_[static_cast<std::size_t>(j)]);
}

void RepulsiveTerm::update(const Structure& structure, const Basis& basis, const Sites&) {
    element_.clear();
    for (int i = 0; i < basis.n_atoms(); ++i) element_.push_back(basis.element_index(i));
    const int n = static_cast<int>(basis.elements().size());
    double range = 1;
    for (int a = 0; a < n; ++a)
        for (int b = 0; b < n; ++b)
            range = std::max(
                {range, parameters_.repulsive(a, b).cutoff(), parameters_.repulsive(a, b).missing_below()});
    pairs_.emplace(structure, range);
    for (int i = 0; i < pairs_->n_atoms(); ++i)
        for (const Neighbor& p : pairs_->of(i))
            if (const double below = pair(i, p.j).missing_below(); p.distance < below) {
                const auto symbol = [&](int atom) {
                    return element_symbol(structure.atomic_numbers[static_cast<std::size_t>(atom)]);
                };
                throw InputError(
                    fmt::format("atoms {} ({}) and {} ({}) are {:.2f} bohr apart, but the parameters hold no "
                                "repulsive energy of "
                                "this pair: keep such atoms at least {:.2f} bohr apart, or use a set that "
                                "was fitted for them",
                                i + 1, symbol(i), p.j + 1, symbol(p.j), p.distance, below));
            }
}

double RepulsiveTerm::energy(const Charges&) const {
    double energy = 0;
    for (int i = 0; i < pairs_->n_atoms(); ++i)
        for (const Neighbor& p : pairs_->of(i)) energy += 0.5 * pair(i, p.j).evaluate(p.distance)[0];
    return energy;
}

void RepulsiveTerm::add_forces(const Charges&, Eigen::Matrix3Xd& forces) const {
    for (int i = 0; i < pairs_->n_atoms(); ++i)
        for (const Neighbor& p : pairs_->of(i))
            forces.col(i) += pair(i, p.j).evaluate(p.distance)[1] / p.distance * p.r_ij;
}

void RepulsiveTerm::add_stress(const Charges&, Eigen::Matrix3d& strain_derivative) const {
    for (int i = 0; i < pairs_->n_atoms(); ++i)
        for (const Neighbor& p : pairs_->of(i))
            strain_derivative +=
                0.5 * pair(i, p.j).evaluate(p.distance)[1] / p.distance * p.r_ij * p.r_ij.transpose();
}

}  // namespace stembridge::tb

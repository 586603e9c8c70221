// SPDX-License-Identifier: Apache-2.0
// What the solvers that know the eigenstates share.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/occupation.hpp"

namespace stembridge::tb {

/// Consecutive levels, `last` not included.
struct LevelRange {
    Eigen::Index first = 0, last = 0;
    Eigen::Index size() const { return last - first; }
};

/// From the first to the last weight that counts beside the largest.
LevelRange levels_that_count(const Eigen::VectorXd& weights);

/// The same levels at every k-point: from the lowest to the highest that is within half_width of mu at any,
/// of the lowest `kept` ones. @param levels (n_levels, n_kpoints), ascending in each column, hartree
LevelRange levels_near(const Eigen::MatrixXd& levels, double mu, double half_width, Eigen::Index kept);

/// -df/de = p (1 - p) / kT, times what a level holds, of Fermi occupations f, 1/hartree; as f.
/// @param capacity of a level
Eigen::MatrixXd slopes_of(const Eigen::MatrixXd& f, double capacity, double kT);

/// -df/de of every level at a temperature kT, times what a level holds, 1/hartree; as the levels,
/// (n_levels, n_kpoints) per spin. @param weights of the k-points
std::vector<Eigen::MatrixXd> fermi_slopes(const std::vector<Eigen::MatrixXd>& levels,
                                          const Eigen::VectorXd& weights, const Electrons& electrons,
                                          double kT);

/// Copies Fermi levels, energies, gap and levels; the matrices stay as they are.
void describe(const Occupations& occupations, const std::vector<Eigen::MatrixXd>& levels, Density& out);

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
// The Fermi level from counts of eigenvalues, to start from, and from electron numbers, to end with.
#pragma once

#include <functional>
#include <vector>

namespace stembridge::tb {

/// Number of levels below each of some energies; a weighted mean over k-points need not be whole.
using LevelCounts = std::function<std::vector<double>(const std::vector<double>&)>;

/// Highest filled and lowest empty level; the same one when it is partly filled.
struct FrontierLevels {
    double homo = 0, lumo = 0;  ///< hartree

    double middle() const { return 0.5 * (homo + lumo); }
    double gap() const { return lumo - homo; }
};

/// Both levels to within a tolerance, or to a tenth of the gap between them where that is more.
/// @param filled number of filled levels, between 0 and all; a fraction for a partly filled one
/// @param start where to look first, hartree  @param tolerance hartree
/// @throw NumericalError when counts cannot bracket the levels
FrontierLevels frontier_levels(const LevelCounts& counts, double filled, double start, double tolerance);

/// Root of a rising function between two points.
double rising_root(const std::function<double(double)>& f, double low, double high);

}  // namespace stembridge::tb

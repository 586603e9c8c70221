// SPDX-License-Identifier: Apache-2.0
// What is measured on a trajectory: temperature, drift, bond lengths, displacements.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "stembridge/base/state.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/structure/structure.hpp"

namespace stembridge::md {

/// Kinetic energy of the structure's velocities, hartree; 0 when it has none.
double kinetic_energy(const Structure& structure);

/// kT = 2 E_kin / N_f, hartree; 0 when nothing can move.
double kinetic_temperature(double kinetic, int degrees_of_freedom);

/// Slope of the least-squares line through the conserved quantity, per atom.
/// @param times atomic time units, at least two different  @param conserved hartree, one per time
/// @return hartree per atom per atomic time unit  @throw InputError when the sizes do not fit
double drift_per_atom(std::span<const double> times, std::span<const double> conserved, int n_atoms);

/// Lengths of the bonds of one pair of elements, bohr.
struct BondLengths {
    std::int64_t count = 0;
    double mean = 0;
    double deviation = 0;  ///< standard deviation
    double shortest = 0;
    double longest = 0;
    std::vector<std::int64_t> histogram;  ///< bonds per bin, bin k covers low + [k, k + 1) width
};

/// Bond lengths over many frames, by pair of elements. Two atoms are bonded when closer than `tolerance`
/// times the sum of their covalent radii.
class BondStatistics {
  public:
    /// @param low start of the histogram, bohr  @param width of a bin, bohr  @param n_bins
    explicit BondStatistics(double tolerance = 1.25, double low = 0.8 * units::angstrom,
                            double width = 0.01 * units::angstrom, int n_bins = 200);
    void add(const Structure& frame);
    int frames() const { return static_cast<int>(frames_); }
    double low() const { return low_; }
    double width() const { return width_; }
    /// By names such as "C-C", "C-H" (alphabetical within the pair).
    std::map<std::string, BondLengths> lengths() const;

    State save() const;
    void restore(const State& state);

  private:
    struct Sums {
        std::int64_t count = 0;
        double sum = 0, squares = 0, shortest = 0, longest = 0;  ///< sum and squares relative to low_
        std::vector<std::int64_t> histogram;
    };
    double tolerance_, low_, width_;
    int n_bins_;
    std::int64_t frames_ = 0;
    std::map<std::string, Sums> sums_;
};

}  // namespace stembridge::md

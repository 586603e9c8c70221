// SPDX-License-Identifier: Apache-2.0
// Cheap models of the energy with exact forces, for everything that needs only a Calculator.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stembridge/base/random.hpp"
#include "stembridge/structure/calculator.hpp"

namespace stembridge::testing {

/// Strengths of the springs; the defaults are those of a graphene sheet. Hartree atomic units.
struct SpringOptions {
    double bond = 0.46;      ///< hartree/bohr^2
    double angle = 0.10;     ///< hartree, on the square of cos(theta) - cos(theta_0)
    double bending = 0.03;   ///< hartree/bohr^2, on the way of a 3-fold atom from the mean of its neighbours
    double tolerance = 1.2;  ///< bonded when closer than this times the sum of the covalent radii
    double stretch = 1;      ///< rest lengths in units of the lengths in the first structure
};

/// Harmonic springs along the bonds of a first structure, on its angles (at rest as found there), and
/// against the bending of 3-fold atoms out of their neighbours' plane; the sheet may be periodic.
///   E = 1/2 sum k (r - r0)^2 + 1/2 sum k_a (cos t - cos t0)^2 + 1/2 sum k_b |mean_j r_ij - d0|^2
class SpringCalculator : public Calculator {
  public:
    explicit SpringCalculator(const Structure& first, SpringOptions options = {});
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "springs"; }
    /// How often evaluate() was called.
    int calls() const { return calls_; }

  private:
    struct Arm {
        int j;
        std::array<int, 3> image;
        double rest;
    };
    SpringOptions options_;
    std::vector<std::vector<Arm>> arms_;             // of each atom
    std::vector<std::vector<double>> rest_cosines_;  // of the angles at each atom, in the order of the pairs
    std::vector<Eigen::Vector3d> rest_bending_;
    int calls_ = 0;
};

/// Morse pairs between all atoms: D (1 - exp(-a (r - r0)))^2, without periodic images.
class MorseCalculator : public Calculator {
  public:
    MorseCalculator(double depth, double a, double r0) : depth_(depth), a_(a), r0_(r0) {}
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "Morse pairs"; }

  private:
    double depth_, a_, r0_;
};

/// Every atom in its own well around the origin, 1/2 k x^2: an external field.
class WellCalculator : public Calculator {
  public:
    explicit WellCalculator(double k) : k_(k) {}
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure&) const override { return {.forces = true, .stress = false}; }
    std::string description() const override { return "wells"; }

  private:
    double k_;
};

/// Another calculator with random noise on energy and forces, as an unfinished self-consistency has it. The
/// noise is its memory: only with save() and restore() do two runs see the same.
class NoisyCalculator : public Calculator {
  public:
    /// @param energy_noise, force_noise standard deviations, hartree and hartree/bohr
    NoisyCalculator(Calculator& exact, double energy_noise, double force_noise, std::uint64_t seed = 7)
        : exact_(exact), energy_noise_(energy_noise), force_noise_(force_noise), random_(seed) {}
    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure& structure) const override { return exact_.offers(structure); }
    std::string description() const override { return "noisy " + exact_.description(); }
    State save() const override;
    void restore(const State& state) override;

  private:
    Calculator& exact_;
    double energy_noise_, force_noise_;
    Random random_;
};

/// Graphene with a bond length in bohr: nx times ny rectangular cells of 4 atoms in the xy plane.
Structure graphene_sheet(int nx, int ny, bool periodic, double bond_length = 2.68);

/// Shifts every coordinate by a normal deviate. @param deviation bohr
Structure rattled(Structure structure, double deviation, std::uint64_t seed = 3);

/// A context whose only wish is a seed.
Context seeded(std::uint64_t seed);

/// Whether all entries have the same bits.
bool same_bits(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

}  // namespace stembridge::testing

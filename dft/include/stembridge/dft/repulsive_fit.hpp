// SPDX-License-Identifier: Apache-2.0
// Repulsive pair potentials from the difference of reference and electronic energies and forces.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/dft/reference_data.hpp"
#include "stembridge/tb/tables/skf.hpp"

namespace stembridge::dft {

/// Atomic numbers of a pair, the smaller first.
using ElementPair = std::pair<int, int>;
/// @param a, b atomic numbers in any order
ElementPair element_pair(int a, int b);

/// The curve of one pair of elements (atomic numbers).
struct RepulsivePairOptions {
    int first = 0;
    int second = 0;
    double cutoff = 0;      ///< bohr
    double spacing = 0.1;   ///< of the knots, bohr
    double smoothness = 1;  ///< factor of RepulsiveFitOptions::smoothness, at the cut-off
    /// The factor falls towards shorter distances as exp(-growth (cutoff - r)), 1/bohr: curvatures there are
    /// large, and so are their honest second differences.
    double smoothness_growth = 0;
    double attractive_beyond = std::numeric_limits<double>::infinity();  ///< where V'' may be negative, bohr
};

/// Curves that are fitted and how the data count.
struct RepulsiveFitOptions {
    std::vector<RepulsivePairOptions> pairs;
    double energy_weight = 1;     ///< per hartree of a structure
    double force_weight = 0.5;    ///< per hartree/bohr of a component
    double stress_weight = 0.5;   ///< per hartree of a component of the virial (volume times stress)
    double strained_force = 0.1;  ///< structures whose largest force is f count 1 / (1 + (f/this)^2)
    double smoothness = 1e-3;     ///< weight of second differences of the curvature, times sqrt(structures)
    std::map<std::string, double> weights;  ///< factor by group or name; left out = 1; 0 = test only
};

/// V(r) with piecewise linear curvature: V'' = sum_k c_k hat((r - r_k) / D), zero at the cut-off with V and
/// V'.
/// @source Ammothum Kandy et al., J. Chem. Theory Comput. 17, 1771 (2021)
class RepulsivePotential {
  public:
    RepulsivePotential() = default;
    /// @param curvature c_k at the knots first + k spacing; the next knot is the cut-off
    RepulsivePotential(double first, double spacing, std::vector<double> curvature);

    double first() const { return first_; }
    double cutoff() const { return first_ + spacing_ * static_cast<double>(curvature_.size()); }
    const std::vector<double>& curvature() const { return curvature_; }
    /// V, V', V'' at r (bohr), hartree; linear below the first knot.
    std::array<double, 3> evaluate(double r) const;
    /// The same as cubic intervals, with an exponential below the first knot.
    tb::SkfRepulsive as_spline() const;

  private:
    double first_ = 0, spacing_ = 0.1;
    std::vector<double> curvature_;
};

/// Energy, forces and stress of tight binding without repulsion.
struct ElectronicResult {
    double energy = 0;                      ///< hartree
    Eigen::Matrix3Xd forces;                ///< (3, n), hartree/bohr
    std::optional<Eigen::Matrix3d> stress;  ///< hartree/bohr^3; needed where the reference has it
};

/// How well a structure is reproduced.
struct StructureError {
    std::string name;
    std::string group;
    int n_atoms = 0;
    double energy = 0;     ///< fit - reference after the constants per element, hartree
    double force_rms = 0;  ///< over components, hartree/bohr
    double force_max = 0;
    std::vector<double> force_errors;  ///< of every component, hartree/bohr
    std::optional<double> virial_rms;  ///< of volume times stress, hartree; where the reference has a stress
};

/// Fitted curves and what they leave.
struct RepulsiveFit {
    std::map<ElementPair, RepulsivePotential> potentials;
    /// Energy of an element in the reference code that tight binding does not have, hartree.
    std::map<std::pair<std::string, int>, double> constants;
    std::map<ElementPair, std::vector<double>> distances;  ///< of the data within the cut-off, bohr
    std::vector<StructureError> errors;                    ///< of every structure, in the order of the data
};

/// Fits all pairs at once to energies, forces and stress: linear least squares with curvatures >= 0.
/// @param electronic one per structure
/// @throw InputError when a structure holds an element or a short distance of a pair that is not fitted
RepulsiveFit fit_repulsive(const std::vector<ReferenceStructure>& references,
                           const std::vector<ElectronicResult>& electronic,
                           const RepulsiveFitOptions& options);

/// Errors of every structure when its group is kept out of the fit. The energies of a group are compared
/// after taking out their own mean error, since a group may be the only one with its element. Empty when
/// there is one group only.
std::vector<StructureError> leave_one_group_out(const std::vector<ReferenceStructure>& references,
                                                const std::vector<ElectronicResult>& electronic,
                                                const RepulsiveFitOptions& options, const Context& context);

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// A cheap model of bonded carbon, silicon and hydrogen: it straightens raw coordinates before an expensive
// model sees them, and tells a relaxation how stiff each way of moving is.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <string>
#include <vector>

#include "stembridge/structure/calculator.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge::md {

/// A combination of a few atoms that a bonded network resists to change.
struct InternalCoordinate {
    enum class Kind {
        stretch,    ///< length of the bond 0-1, bohr
        angle,      ///< cosine of the angle 1-0-2
        planarity,  ///< volume a . (b x c) of the bonds from 0 to 1, 2, 3, over their rest lengths
        torsion     ///< volume a . (b x c) of the bonds 0-1, 1-2, 2-3, over their rest lengths
    };
    Kind kind = Kind::stretch;
    int n_atoms = 2;
    std::array<int, 4> atoms = {0, 0, 0, 0};
    std::array<std::array<int, 3>, 4> images = {};  ///< lattice vectors each atom is moved by
    double scale = 1;                               ///< what the volume is divided by, bohr^3
    double rest = 0;                                ///< value without strain
    double stiffness = 0;                           ///< k of 1/2 k (q - rest)^2
};

/// Value of an internal coordinate and its gradient, one column per atom.
struct CoordinateValue {
    double value = 0;
    Eigen::Matrix<double, 3, 4> gradient = Eigen::Matrix<double, 3, 4>::Zero();
};
/// Value and gradient in a structure that has these atoms.
CoordinateValue value_of(const InternalCoordinate& coordinate, const Structure& structure);

/// Whether there are angles, planes and torsions for an element: H, C, Si.
bool has_bending_parameters(int atomic_number);

/// Angles, planes and torsions of the bonded H, C and Si of a structure.
std::vector<InternalCoordinate> bending_coordinates(const Structure& structure,
                                                    const BondCriteria& bonds = {});

/// Harmonic in the internal coordinates of the bonds found in a first structure:
///   E = sum over coordinates 1/2 k (q - q0)^2.
/// Bonds keep their partners however far they are pulled. Rest values are those of sp2 carbon, of C-H and of
/// silicon in graphene; carbon between three neighbours wants to lie in their plane, silicon does not.
/// @source form of the terms: Wilson, Decius, Cross, Molecular Vibrations (1955), chapter 4; volumes in place
/// of angles, so that nothing is singular
class ForceField final : public Calculator {
  public:
    /// @param first the bonds are those found in it
    /// @throw InputError for elements other than H, C, Si, or when atoms are on top of each other
    explicit ForceField(const Structure& first, const BondCriteria& bonds = {});

    /// Whether there are parameters for every element of a structure.
    static bool knows(const Structure& structure);

    void evaluate(const Structure& structure, Wanted wanted, Evaluation& out,
                  const Context& context) override;
    Wanted offers(const Structure& structure) const override;
    std::string description() const override { return "force field of bonds and angles"; }

    const std::vector<InternalCoordinate>& coordinates() const { return coordinates_; }

  private:
    std::vector<InternalCoordinate> coordinates_;
    std::vector<int> atomic_numbers_;
};

}  // namespace stembridge::md

// SPDX-License-Identifier: Apache-2.0
// A whole Slater-Koster set from settings alone: atoms, integrals, repulsive fit, files.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/base/context.hpp"
#include "stembridge/dft/one_centre.hpp"
#include "stembridge/dft/repulsive_fit.hpp"
#include "stembridge/dft/two_centre.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/tb/tables/orbitals.hpp"

namespace stembridge::dft {

/// How the atoms of one element are made.
struct ElementOptions {
    int atomic_number = 0;
    std::string configuration;                 ///< e.g. "[Ar] 3d5 4s1 4p0"
    std::vector<std::pair<int, int>> valence;  ///< (n, l)
    Relativity relativity = Relativity::none;
    std::vector<Confinement> wave;        ///< of the orbitals, by l; one for all l, or as many as there are l
    Confinement density;                  ///< of the density
    std::vector<SlaterFunctions> slater;  ///< by l; empty = splines
    bool shell_resolved_hubbard = false;  ///< else all shells get that of the highest occupied one
};

/// What make_parameters() makes.
struct ParameterOptions {
    std::string name;
    std::string functional = "pbe";
    std::vector<ElementOptions> elements;
    RadialGrid grid;
    TwoCentreOptions integrals;  ///< its functional is that of the set
    TableOptions tables;
    RepulsiveFitOptions repulsive;
    std::vector<std::filesystem::path> references;  ///< extended XYZ files; none = electronic part only
    std::vector<std::string> notes;                 ///< lines for the documentation of every file
    std::vector<ElementPair> only;                  ///< pairs to make; empty = all, with the repulsive fit
};

/// What a reference structure needs of the tight-binding calculation that it is compared with.
struct ElectronicSettings {
    double electronic_temperature = 0;  ///< kT, hartree
    bool spin_polarized = false;
    std::optional<double> unpaired;          ///< electrons; empty = free moment
    std::array<int, 3> kpoints = {1, 1, 1};  ///< Monkhorst-Pack mesh
};

/// Makes a calculator for the tables in a folder; shell-resolved charges.
using ElectronicCalculatorFactory = std::function<std::unique_ptr<Calculator>(
    const std::filesystem::path& folder, const ElectronicSettings&)>;

/// What make_parameters() has made.
struct ParameterSet {
    std::map<int, OneCentre> elements;
    tb::OrbitalTable orbitals;  ///< of all elements, by atomic number
    std::vector<std::filesystem::path> files;
    std::optional<RepulsiveFit> fit;
    std::vector<StructureError> left_out;  ///< errors of each structure with its group kept out of the fit
    std::vector<ElementPair> without_repulsive;  ///< no reference data: electronic part only
    std::vector<std::string> not_converged;      ///< structures whose tight-binding charges did not converge
};

/// Atoms of an element for the two-centre integrals. @throw InputError for settings that make no sense
PseudoAtom pseudo_atom(const ElementOptions& element, const ParameterOptions& options,
                       const Context& context = {});

/// Tight-binding energies, forces and stress without repulsion; the structures that do not converge are taken
/// out of `references` and named in `not_converged`. Results stay in FOLDER/structures; those with the same
/// tables, structure and settings are taken from there.
std::vector<ElectronicResult> electronic_results(std::vector<ReferenceStructure>& references,
                                                 const std::filesystem::path& folder,
                                                 const ElectronicCalculatorFactory& make_calculator,
                                                 std::vector<std::string>& not_converged,
                                                 const Context& context);

/// Makes a set: FOLDER/A-B.skf for all ordered pairs FOLDER/spinw.txt and
/// FOLDER/orbitals.csv. Electronic tables are kept in
/// FOLDER/electronic; those made with the same settings before are taken from there.
/// A pair without reference data gets a file without repulsive energy that says below which distance it must
/// not be used.
/// @param make_calculator only used when there are reference structures
/// @throw InputError for settings that make no sense  @throw FileError  @throw StoppedError on request; what
/// is done stays
ParameterSet make_parameters(const ParameterOptions& options, const std::filesystem::path& folder,
                             const ElectronicCalculatorFactory& make_calculator, const Context& context);

}  // namespace stembridge::dft

// SPDX-License-Identifier: Apache-2.0
// Statistics of a structure: rings, defects, bonds, angles, coordination.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {

/// Distribution of a quantity.
struct Statistics {
    int count = 0;
    double mean = 0;
    double standard_deviation = 0;  ///< of the values themselves (divided by count)
    double min = 0;
    double max = 0;
};

/// Statistics of some values; all zero when there are none.
Statistics statistics_of(const std::vector<double>& values);

/// What counts as a bond and as a ring.
struct AnalysisOptions {
    BondCriteria bonds;
    int smallest_ring = 3;
    int largest_ring = 10;
};

/// What analyze() finds, lengths in bohr, angles in radian.
struct StructureAnalysis {
    std::vector<Ring> rings;
    std::map<int, int> ring_counts;           ///< ring size -> number of rings
    std::vector<Defect> defects;              ///< the largest first
    std::map<std::string, Statistics> bonds;  ///< "C-C", symbols in alphabetical order -> lengths
    std::map<std::string, std::vector<double>> bond_lengths;  ///< the values behind `bonds`, for histograms
    std::map<std::string, Statistics> angles;                 ///< symbol of the centre atom -> angles
    std::map<std::string, std::map<int, int>>
        coordination;  ///< symbol -> coordination number -> number of atoms
    /// ring size -> pair -> lengths of the bonds along rings of that size; a bond of two such rings counts
    /// twice
    std::map<int, std::map<std::string, Statistics>> bonds_by_ring_size;
    std::vector<int> coordination_numbers;  ///< (n)
    std::vector<int> adsorbed;              ///< atoms on the sheet; left out of the rings
    std::vector<int> outer_edge;            ///< atoms on the outer edge of a sheet
    int n_fragments = 0;
    std::vector<Ring> holes;  ///< closed inner faces of a sheet with more atoms than the largest ring
    Eigen::Vector3d normal = Eigen::Vector3d::UnitZ();  ///< of the sheet
};

/// Rings, defects, bonds, angles and coordination of a structure.
/// @throw InputError when the structure is malformed (sizes, numbers that are not finite, singular periodic
/// cell)
StructureAnalysis analyze(const Structure& structure, const AnalysisOptions& options = {});
/// The same with bonds that are known already; `options.bonds` plays no part.
StructureAnalysis analyze(const Structure& structure, const BondGraph& graph,
                          const AnalysisOptions& options = {});

}  // namespace stembridge

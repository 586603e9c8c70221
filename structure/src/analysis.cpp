// SPDX-License-Identifier: Apache-2.0
#include "stembridge/structure/analysis.hpp"

#include <algorithm>
#include <cmath>

#include "stembridge/base/elements.hpp"

namespace stembridge {
namespace {

std::string pair_name(int atomic_number_a, int atomic_number_b) {
    std::string a = element_symbol(atomic_number_a), b = element_symbol(atomic_number_b);
    if (b < a) std::swap(a, b);
    return a + "-" + b;
}

}  // namespace

Statistics statistics_of(const std::vector<double>& values) {
    Statistics result;
    if (values.empty()) return result;
    result.count = static_cast<int>(values.size());
    result.min = *std::min_element(values.begin(), values.end());
    result.max = *std::max_element(values.begin(), values.end());
    for (const double value : values) result.mean += value / result.count;
    double variance = 0;
    for (const double value : values)
        variance += (value - result.mean) * (value - result.mean) / result.count;
    result.standard_deviation = std::sqrt(variance);
    return result;
}

StructureAnalysis analyze(const Structure& structure, const AnalysisOptions& options) {
    structure.validate(0.0);
    return analyze(structure, BondGraph(structure, options.bonds), options);
}

StructureAnalysis analyze(const Structure& structure, const BondGraph& graph,
                          const AnalysisOptions& options) {
    structure.validate(0.0);
    const auto element = [&](int atom) { return structure.atomic_numbers[static_cast<std::size_t>(atom)]; };
    StructureAnalysis result;
    result.adsorbed = adsorbed_atoms(structure, graph);
    std::vector<bool> in_sheet(static_cast<std::size_t>(structure.size()), true);
    for (const int atom : result.adsorbed) in_sheet[static_cast<std::size_t>(atom)] = false;
    const BondGraph sheet = graph.restricted_to(in_sheet);

    result.rings = find_rings(sheet, options.smallest_ring, options.largest_ring);
    result.ring_counts = ring_counts(result.rings);
    const auto edges = find_edges(structure, graph, options.largest_ring);
    if (edges) {
        result.outer_edge = edges->outer;
        result.holes = edges->holes;
        result.normal = edges->normal;
    }
    result.defects = find_defects(structure, sheet, result.rings, edges);
    result.n_fragments = static_cast<int>(fragments(graph).size());

    for (int i = 0; i < structure.size(); ++i) {
        result.coordination_numbers.push_back(graph.coordination(i));
        ++result.coordination[element_symbol(element(i))][graph.coordination(i)];
    }
    for (const Bond& bond : graph.bonds())
        result.bond_lengths[pair_name(element(bond.i), element(bond.j))].push_back(bond.length);
    for (const auto& [pair, lengths] : result.bond_lengths) result.bonds[pair] = statistics_of(lengths);

    std::map<std::string, std::vector<double>> angles;
    for (int i = 0; i < structure.size(); ++i) {
        const auto& around = sheet.of(i);
        for (std::size_t a = 0; a < around.size(); ++a)
            for (std::size_t b = 0; b < a; ++b) {
                const double cosine =
                    around[a].r_ij.dot(around[b].r_ij) / (around[a].distance * around[b].distance);
                angles[element_symbol(element(i))].push_back(std::acos(std::clamp(cosine, -1.0, 1.0)));
            }
    }
    for (const auto& [symbol, values] : angles) result.angles[symbol] = statistics_of(values);

    std::map<int, std::map<std::string, std::vector<double>>> of_size;
    for (const Ring& ring : result.rings) {
        const Eigen::Matrix3Xd corners = ring_positions(ring, structure);
        for (int k = 0; k < ring.size(); ++k) {
            const int next = (k + 1) % ring.size();
            const std::string pair = pair_name(element(ring.atoms[static_cast<std::size_t>(k)]),
                                               element(ring.atoms[static_cast<std::size_t>(next)]));
            of_size[ring.size()][pair].push_back((corners.col(next) - corners.col(k)).norm());
        }
    }
    for (const auto& [size, pairs] : of_size)
        for (const auto& [pair, lengths] : pairs)
            result.bonds_by_ring_size[size][pair] = statistics_of(lengths);
    return result;
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/ordering.hpp"

#include <metis.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {

AtomGraph atom_graph(const BlockPattern& pattern) {
    AtomGraph graph(static_cast<std::size_t>(pattern.basis().n_atoms()));
    for (const Block& b : pattern.blocks()) {
        if (b.i == b.j) continue;
        graph[static_cast<std::size_t>(b.i)].push_back(b.j);
        graph[static_cast<std::size_t>(b.j)].push_back(b.i);
    }
    for (std::vector<int>& neighbors : graph) {
        std::sort(neighbors.begin(), neighbors.end());
        neighbors.erase(std::unique(neighbors.begin(), neighbors.end()), neighbors.end());
    }
    return graph;
}

std::vector<int> nested_dissection(const AtomGraph& graph) {
    std::vector<idx_t> first = {0}, neighbors;
    for (const std::vector<int>& list : graph) {
        neighbors.insert(neighbors.end(), list.begin(), list.end());
        first.push_back(static_cast<idx_t>(neighbors.size()));
    }
    auto n = static_cast<idx_t>(graph.size());
    std::vector<int> order(graph.size());
    std::iota(order.begin(), order.end(), 0);
    if (n < 8 || neighbors.empty()) return order;
    std::array<idx_t, METIS_NOPTIONS> options{};
    METIS_SetDefaultOptions(options.data());
    options[METIS_OPTION_SEED] = 1;
    options[METIS_OPTION_NSEPS] = 10;
    options[METIS_OPTION_NITER] = 20;
    options[METIS_OPTION_UFACTOR] = 100;
    options[METIS_OPTION_COMPRESS] = 0;
    std::vector<idx_t> permutation(graph.size()), inverse(graph.size());
    if (METIS_NodeND(&n, first.data(), neighbors.data(), nullptr, options.data(), permutation.data(),
                     inverse.data()) != METIS_OK)
        throw NumericalError("nested dissection of the atoms failed");
    std::copy(permutation.begin(), permutation.end(), order.begin());
    return order;
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/front_schedule.hpp"

#include <algorithm>

namespace stembridge::tb {

FrontSchedule::FrontSchedule(const Symbolic& symbolic, int largest_small) {
    const std::vector<Front>& fronts = symbolic.fronts;
    std::vector<std::size_t> depth(fronts.size(), 0);
    for (const Front& front : fronts) {
        shapes.push_back({n_values, front.n_pivots, front.n_boundary});
        n_values += std::int64_t{front.size()} * front.size();
    }
    // Parents come after their children.
    for (std::size_t f = fronts.size(); f-- > 0;) {
        if (fronts[f].parent >= 0) depth[f] = depth[static_cast<std::size_t>(fronts[f].parent)] + 1;
        if (levels.size() <= depth[f]) levels.resize(depth[f] + 1);
    }
    for (std::size_t f = 0; f < fronts.size(); ++f) {
        Level& level = levels[depth[f]];
        const int size = fronts[f].size();
        (size <= largest_small ? level.small : level.large).push_back(static_cast<int>(f));
        if (size <= largest_small) level.largest_small = std::max(level.largest_small, size);
        for (std::size_t round = 0; round < fronts[f].children.size(); ++round) {
            const auto c = static_cast<std::size_t>(fronts[f].children[round]);
            if (fronts[c].n_boundary == 0) continue;
            if (level.rounds.size() <= round) level.rounds.resize(round + 1);
            level.rounds[round].push_back({shapes[c], shapes[f], static_cast<std::int64_t>(rows.size())});
            for (const RowRun& run : fronts[c].in_parent)
                for (int k = 0; k < run.length; ++k) rows.push_back(run.to + k);
        }
    }
}

std::int64_t FrontSchedule::workspace(int block) const {
    std::int64_t most = 0;
    for (const Level& level : levels)
        for (const int f : level.large) {
            const FrontShape& shape = shapes[static_cast<std::size_t>(f)];
            const std::int64_t p = shape.n_pivots, b = shape.n_boundary;
            most = std::max({most, 2 * (p + b) * block + std::int64_t{block} * block, b * p});
        }
    return most;
}

int FrontSchedule::most_large() const {
    std::size_t most = 0;
    for (const Level& level : levels) most = std::max(most, level.large.size());
    return static_cast<int>(most);
}

}  // namespace stembridge::tb

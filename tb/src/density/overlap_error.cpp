// SPDX-License-Identifier: Apache-2.0
#include "density/overlap_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"

namespace stembridge::tb {

std::string overlap_error(const BlockPattern& pattern) {
    const Basis& basis = pattern.basis();
    struct Pair {
        double ratio;
        const Block* block;
    };
    std::vector<Pair> pairs;
    for (const Block& b : pattern.blocks()) {
        if (b.on_site()) continue;
        const double usual = covalent_radius(basis.element(b.i).atomic_number) +
                             covalent_radius(basis.element(b.j).atomic_number);
        pairs.push_back({b.distance / usual, &b});
    }
    const auto shown = std::min<std::size_t>(3, pairs.size());
    std::partial_sort(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(shown), pairs.end(),
                      [](const Pair& p, const Pair& q) { return p.ratio < q.ratio; });
    std::string closest;
    for (std::size_t k = 0; k < shown && (k == 0 || pairs[k].ratio < 0.7); ++k) {
        const Block& b = *pairs[k].block;
        closest +=
            fmt::format("{}{} {} and {} {} ({:.3f} angstrom)", k == 0 ? "" : ", ", basis.element(b.i).symbol,
                        b.i + 1, basis.element(b.j).symbol, b.j + 1, b.distance / units::angstrom);
    }
    return fmt::format(
        "the overlap matrix is not positive definite: atoms are too close to each other, or the tables do "
        "not fit "
        "together{}{}",
        closest.empty() ? "" : "; closest for their size: ", closest);
}

}  // namespace stembridge::tb

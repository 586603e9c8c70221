// SPDX-License-Identifier: Apache-2.0
#include "stembridge/tb/pole_expansion/symbolic.hpp"

#include <algorithm>
#include <numeric>

#include "density/pole_expansion/ordering.hpp"

namespace stembridge::tb {
namespace {

/// Multiply-adds of the elimination of p pivots with b boundary rows and of the selected inverse there.
double work_of(double p, double b) {
    return 0.5 * p * p * p + 1.5 * p * p * b + 1.5 * p * b * b;
}

/// Estimated time in units of one multiply-add at full speed: small blocks are slow, and every value of a
/// front is moved several times.
double cost_of(double p, double b) {
    constexpr double half_speed = 10, traffic = 12, per_front = 2e4;
    return work_of(p, b) * (p + half_speed) / p + traffic * (p + b) * (p + b) + per_front;
}

/// A group of columns that are eliminated together.
struct Group {
    std::vector<int> pivots;    ///< positions in the order
    std::vector<int> boundary;  ///< positions, ascending
    int parent = -1;
    std::vector<int> children;
    bool merged = false;
};

}  // namespace

Symbolic::Symbolic(const BlockPattern& pattern) {
    const Basis& basis = pattern.basis();
    n_orbitals = basis.n_orbitals();
    const AtomGraph graph = atom_graph(pattern);
    const std::vector<int> order = nested_dissection(graph);
    const auto n = static_cast<int>(order.size());
    std::vector<int> position(order.size());
    for (int k = 0; k < n; ++k) position[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = k;
    const auto orbitals_of = [&](const std::vector<int>& positions) {
        int sum = 0;
        for (const int k : positions) sum += basis.n_orbitals(order[static_cast<std::size_t>(k)]);
        return sum;
    };

    // Structure of every column: its own later neighbours and what its children hand on. The first of them is
    // the parent. Columns with the structure of their only child join it.
    std::vector<Group> groups;
    std::vector<int> group_of(order.size(), -1);
    {
        std::vector<std::vector<int>> waiting(order.size());  // groups whose parent is this column
        for (int k = 0; k < n; ++k) {
            std::vector<int> structure;
            for (const int j : graph[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])])
                if (position[static_cast<std::size_t>(j)] > k)
                    structure.push_back(position[static_cast<std::size_t>(j)]);
            const std::vector<int>& children = waiting[static_cast<std::size_t>(k)];
            for (const int c : children) {
                const auto& b = groups[static_cast<std::size_t>(c)].boundary;
                structure.insert(structure.end(), b.begin() + 1, b.end());
            }
            std::sort(structure.begin(), structure.end());
            structure.erase(std::unique(structure.begin(), structure.end()), structure.end());
            int g = static_cast<int>(groups.size());
            if (children.size() == 1 &&
                groups[static_cast<std::size_t>(children[0])].boundary.size() == structure.size() + 1) {
                g = children[0];
            } else {
                groups.emplace_back();
                groups.back().children = children;
                for (const int c : children) groups[static_cast<std::size_t>(c)].parent = g;
            }
            Group& group = groups[static_cast<std::size_t>(g)];
            group.pivots.push_back(k);
            group.boundary = std::move(structure);
            if (!group.boundary.empty())
                waiting[static_cast<std::size_t>(group.boundary.front())].push_back(g);
        }
    }

    // A group that is cheaper together with its parent joins it, the one that gains most first.
    for (std::size_t p = 0; p < groups.size(); ++p) {
        Group& parent = groups[p];
        while (true) {
            const double pivots = orbitals_of(parent.pivots), boundary = orbitals_of(parent.boundary);
            double best = 0;
            int chosen = -1;
            for (const int c : parent.children) {
                const Group& child = groups[static_cast<std::size_t>(c)];
                const double own = orbitals_of(child.pivots);
                const double gain = cost_of(pivots, boundary) + cost_of(own, orbitals_of(child.boundary)) -
                                    cost_of(pivots + own, boundary);
                if (gain > best) {
                    best = gain;
                    chosen = c;
                }
            }
            if (chosen < 0) break;
            Group& child = groups[static_cast<std::size_t>(chosen)];
            child.merged = true;
            parent.pivots.insert(parent.pivots.end(), child.pivots.begin(), child.pivots.end());
            std::sort(parent.pivots.begin(), parent.pivots.end());
            parent.children.erase(std::find(parent.children.begin(), parent.children.end(), chosen));
            for (const int c : child.children) {
                groups[static_cast<std::size_t>(c)].parent = static_cast<int>(p);
                parent.children.push_back(c);
            }
            child.children.clear();
        }
    }

    // Fronts in postorder; the child that leaves most behind comes first, which keeps the stack small.
    std::vector<int> front_of(groups.size(), -1);
    const auto visit = [&](auto&& self, int g) -> void {
        Group& group = groups[static_cast<std::size_t>(g)];
        std::stable_sort(group.children.begin(), group.children.end(), [&](int a, int b) {
            return groups[static_cast<std::size_t>(a)].boundary.size() <
                   groups[static_cast<std::size_t>(b)].boundary.size();
        });
        std::reverse(group.children.begin(), group.children.end());
        for (const int c : group.children) self(self, c);
        front_of[static_cast<std::size_t>(g)] = static_cast<int>(fronts.size());
        Front front;
        for (const auto* list : {&group.pivots, &group.boundary})
            for (const int k : *list) front.atoms.push_back(order[static_cast<std::size_t>(k)]);
        front.n_pivot_atoms = static_cast<int>(group.pivots.size());
        front.n_pivots = orbitals_of(group.pivots);
        front.n_boundary = orbitals_of(group.boundary);
        for (const int c : group.children) front.children.push_back(front_of[static_cast<std::size_t>(c)]);
        fronts.push_back(std::move(front));
    };
    for (std::size_t g = 0; g < groups.size(); ++g)
        if (!groups[g].merged && groups[g].parent < 0) visit(visit, static_cast<int>(g));

    // Places of the boundary in the parent, and of the blocks in the fronts.
    std::vector<int> front_of_atom(order.size());
    std::vector<std::vector<int>> row_of(fronts.size());  // of its atoms
    for (std::size_t f = 0; f < fronts.size(); ++f) {
        Front& front = fronts[f];
        int row = 0;
        for (std::size_t a = 0; a < front.atoms.size(); ++a) {
            row_of[f].push_back(row);
            row += basis.n_orbitals(front.atoms[a]);
            if (static_cast<int>(a) < front.n_pivot_atoms)
                front_of_atom[static_cast<std::size_t>(front.atoms[a])] = static_cast<int>(f);
        }
        for (const int c : front.children) fronts[static_cast<std::size_t>(c)].parent = static_cast<int>(f);
    }
    std::vector<int> place(order.size(), -1);  // rows of atoms in the front at hand
    places.resize(fronts.size());
    std::vector<std::vector<std::size_t>> blocks_of(fronts.size());
    for (std::size_t k = 0; k < pattern.blocks().size(); ++k) {
        const Block& b = pattern.blocks()[k];
        const int first =
            position[static_cast<std::size_t>(b.i)] < position[static_cast<std::size_t>(b.j)] ? b.i : b.j;
        blocks_of[static_cast<std::size_t>(front_of_atom[static_cast<std::size_t>(first)])].push_back(k);
    }
    std::size_t stack = 0;
    for (std::size_t f = 0; f < fronts.size(); ++f) {
        Front& front = fronts[f];
        for (std::size_t a = 0; a < front.atoms.size(); ++a)
            place[static_cast<std::size_t>(front.atoms[a])] = row_of[f][a];
        for (const std::size_t k : blocks_of[f]) {
            const Block& b = pattern.blocks()[k];
            const int i = place[static_cast<std::size_t>(b.i)], j = place[static_cast<std::size_t>(b.j)];
            places[f].push_back({b.offset, std::max(i, j), std::min(i, j), basis.n_orbitals(b.i),
                                 basis.n_orbitals(b.j), i > j, b.i == b.j && !b.on_site()});
        }
        for (const int c : front.children) {
            Front& child = fronts[static_cast<std::size_t>(c)];
            int from = 0;
            for (std::size_t a = static_cast<std::size_t>(child.n_pivot_atoms); a < child.atoms.size(); ++a) {
                const int atom = child.atoms[a], length = basis.n_orbitals(atom);
                const int to = place[static_cast<std::size_t>(atom)];
                if (!child.in_parent.empty() &&
                    child.in_parent.back().to + child.in_parent.back().length == to)
                    child.in_parent.back().length += length;
                else
                    child.in_parent.push_back({from, to, length});
                from += length;
            }
            stack -= static_cast<std::size_t>(child.n_boundary) * static_cast<std::size_t>(child.n_boundary);
        }
        stack += static_cast<std::size_t>(front.n_boundary) * static_cast<std::size_t>(front.n_boundary);
        n_stack_values = std::max(n_stack_values, stack);
        front.factor_offset = n_factor_values;
        n_factor_values += static_cast<std::size_t>(front.n_pivots) * static_cast<std::size_t>(front.size());
        largest_front = std::max(largest_front, front.size());
        largest_pivots = std::max(largest_pivots, front.n_pivots);
        work += work_of(front.n_pivots, front.n_boundary);
    }
}

std::size_t Symbolic::bytes(std::size_t value_size) const {
    const auto front = static_cast<std::size_t>(largest_front) * static_cast<std::size_t>(largest_front);
    const auto pivots = static_cast<std::size_t>(largest_pivots) * static_cast<std::size_t>(largest_pivots);
    return value_size * (n_factor_values + n_stack_values + front + pivots);
}

}  // namespace stembridge::tb

// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/symbolic.hpp"

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

template <typename T>
T& at(std::vector<T>& v, int k) {
    return v[static_cast<std::size_t>(k)];
}
template <typename T>
const T& at(const std::vector<T>& v, int k) {
    return v[static_cast<std::size_t>(k)];
}

std::size_t square(int n) {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
}

/// In which order atoms are eliminated.
struct Order {
    Order(const Basis& basis_of_atoms, const AtomGraph& graph)
        : basis(basis_of_atoms), atoms(nested_dissection(graph)), position(atoms.size()) {
        for (int k = 0; k < size(); ++k) at(position, at(atoms, k)) = k;
    }
    int size() const { return static_cast<int>(atoms.size()); }
    int orbitals_of(const std::vector<int>& positions) const {
        int sum = 0;
        for (const int k : positions) sum += basis.n_orbitals(at(atoms, k));
        return sum;
    }

    const Basis& basis;
    std::vector<int> atoms;     ///< by position
    std::vector<int> position;  ///< by atom
};

/// A group of columns that are eliminated together.
struct Group {
    std::vector<int> pivots;    ///< positions in the order
    std::vector<int> boundary;  ///< positions, ascending
    int parent = -1;
    std::vector<int> children;
    bool merged = false;
};

/// Structure of every column: its own later neighbours and what its children hand on. The first of them is
/// the parent. Columns with the structure of their only child join it.
std::vector<Group> groups_of_columns(const Order& order, const AtomGraph& graph) {
    std::vector<Group> groups;
    std::vector<std::vector<int>> waiting(order.atoms.size());  // groups whose parent is this column
    for (int k = 0; k < order.size(); ++k) {
        std::vector<int> structure;
        for (const int j : at(graph, at(order.atoms, k)))
            if (at(order.position, j) > k) structure.push_back(at(order.position, j));
        const std::vector<int>& children = at(waiting, k);
        for (const int c : children) {
            const std::vector<int>& b = at(groups, c).boundary;
            structure.insert(structure.end(), b.begin() + 1, b.end());
        }
        std::sort(structure.begin(), structure.end());
        structure.erase(std::unique(structure.begin(), structure.end()), structure.end());
        int g = static_cast<int>(groups.size());
        if (children.size() == 1 && at(groups, children[0]).boundary.size() == structure.size() + 1) {
            g = children[0];
        } else {
            groups.emplace_back();
            groups.back().children = children;
            for (const int c : children) at(groups, c).parent = g;
        }
        Group& group = at(groups, g);
        group.pivots.push_back(k);
        group.boundary = std::move(structure);
        if (!group.boundary.empty()) at(waiting, group.boundary.front()).push_back(g);
    }
    return groups;
}

/// A group that is cheaper together with its parent joins it, the one that gains most first.
void merge_where_cheaper(std::vector<Group>& groups, const Order& order) {
    for (std::size_t p = 0; p < groups.size(); ++p) {
        Group& parent = groups[p];
        while (true) {
            const double pivots = order.orbitals_of(parent.pivots),
                         boundary = order.orbitals_of(parent.boundary);
            double best = 0;
            int chosen = -1;
            for (const int c : parent.children) {
                const Group& child = at(groups, c);
                const double own = order.orbitals_of(child.pivots);
                const double gain = cost_of(pivots, boundary) +
                                    cost_of(own, order.orbitals_of(child.boundary)) -
                                    cost_of(pivots + own, boundary);
                if (gain > best) {
                    best = gain;
                    chosen = c;
                }
            }
            if (chosen < 0) break;
            Group& child = at(groups, chosen);
            child.merged = true;
            parent.pivots.insert(parent.pivots.end(), child.pivots.begin(), child.pivots.end());
            std::sort(parent.pivots.begin(), parent.pivots.end());
            parent.children.erase(std::find(parent.children.begin(), parent.children.end(), chosen));
            for (const int c : child.children) {
                at(groups, c).parent = static_cast<int>(p);
                parent.children.push_back(c);
            }
            child.children.clear();
        }
    }
}

/// Fronts in postorder; the child that leaves most behind comes first, which keeps the stack small.
std::vector<Front> fronts_in_postorder(std::vector<Group>& groups, const Order& order) {
    std::vector<Front> fronts;
    std::vector<int> front_of(groups.size(), -1);
    const auto visit = [&](auto&& self, int g) -> void {
        Group& group = at(groups, g);
        std::stable_sort(group.children.begin(), group.children.end(), [&](int a, int b) {
            return at(groups, a).boundary.size() < at(groups, b).boundary.size();
        });
        std::reverse(group.children.begin(), group.children.end());
        for (const int c : group.children) self(self, c);
        at(front_of, g) = static_cast<int>(fronts.size());
        Front front;
        for (const auto* list : {&group.pivots, &group.boundary})
            for (const int k : *list) front.atoms.push_back(at(order.atoms, k));
        front.n_pivot_atoms = static_cast<int>(group.pivots.size());
        front.n_pivots = order.orbitals_of(group.pivots);
        front.n_boundary = order.orbitals_of(group.boundary);
        for (const int c : group.children) front.children.push_back(at(front_of, c));
        fronts.push_back(std::move(front));
    };
    for (std::size_t g = 0; g < groups.size(); ++g)
        if (!groups[g].merged && groups[g].parent < 0) visit(visit, static_cast<int>(g));
    for (std::size_t f = 0; f < fronts.size(); ++f)
        for (const int c : fronts[f].children) at(fronts, c).parent = static_cast<int>(f);
    return fronts;
}

/// Blocks that come into play in each front: where the first of their atoms is eliminated.
std::vector<std::vector<std::size_t>> blocks_of_fronts(const std::vector<Front>& fronts, const Order& order,
                                                       const BlockPattern& pattern) {
    std::vector<int> front_of_atom(order.atoms.size());
    for (std::size_t f = 0; f < fronts.size(); ++f)
        for (int a = 0; a < fronts[f].n_pivot_atoms; ++a)
            at(front_of_atom, at(fronts[f].atoms, a)) = static_cast<int>(f);
    std::vector<std::vector<std::size_t>> blocks(fronts.size());
    for (std::size_t k = 0; k < pattern.blocks().size(); ++k) {
        const Block& b = pattern.blocks()[k];
        const int first = at(order.position, b.i) < at(order.position, b.j) ? b.i : b.j;
        at(blocks, at(front_of_atom, first)).push_back(k);
    }
    return blocks;
}

/// Where the boundary of a child lies in its parent. @param row of each atom in the parent
std::vector<RowRun> runs_in_parent(const Front& child, const std::vector<int>& row, const Basis& basis) {
    std::vector<RowRun> runs;
    int from = 0;
    for (std::size_t a = static_cast<std::size_t>(child.n_pivot_atoms); a < child.atoms.size(); ++a) {
        const int length = basis.n_orbitals(child.atoms[a]), to = at(row, child.atoms[a]);
        if (!runs.empty() && runs.back().to + runs.back().length == to)
            runs.back().length += length;
        else
            runs.push_back({from, to, length});
        from += length;
    }
    return runs;
}

}  // namespace

Symbolic::Symbolic(const BlockPattern& pattern) : n_orbitals(pattern.basis().n_orbitals()) {
    const Basis& basis = pattern.basis();
    const AtomGraph graph = atom_graph(pattern);
    const Order order(basis, graph);
    std::vector<Group> groups = groups_of_columns(order, graph);
    merge_where_cheaper(groups, order);
    fronts = fronts_in_postorder(groups, order);
    place_in_fronts(pattern, blocks_of_fronts(fronts, order, pattern));
    count_memory_and_work();
}

void Symbolic::place_in_fronts(const BlockPattern& pattern,
                               const std::vector<std::vector<std::size_t>>& blocks_of) {
    const Basis& basis = pattern.basis();
    std::vector<int> row(static_cast<std::size_t>(basis.n_atoms()), -1);  // of atoms in the front at hand
    places.resize(fronts.size());
    for (std::size_t f = 0; f < fronts.size(); ++f) {
        int next = 0;
        for (const int atom : fronts[f].atoms) {
            at(row, atom) = next;
            next += basis.n_orbitals(atom);
        }
        for (const std::size_t k : blocks_of[f]) {
            const Block& b = pattern.blocks()[k];
            const int i = at(row, b.i), j = at(row, b.j);
            places[f].push_back({b.offset, std::max(i, j), std::min(i, j), basis.n_orbitals(b.i),
                                 basis.n_orbitals(b.j), i > j, b.i == b.j && !b.on_site()});
        }
        for (const int c : fronts[f].children)
            at(fronts, c).in_parent = runs_in_parent(at(fronts, c), row, basis);
    }
}

void Symbolic::count_memory_and_work() {
    std::size_t stack = 0;
    for (Front& front : fronts) {
        for (const int c : front.children) stack -= square(at(fronts, c).n_boundary);
        stack += square(front.n_boundary);
        n_stack_values = std::max(n_stack_values, stack);
        front.factor_offset = n_factor_values;
        n_factor_values += static_cast<std::size_t>(front.n_pivots) * static_cast<std::size_t>(front.size());
        largest_front = std::max(largest_front, front.size());
        largest_pivots = std::max(largest_pivots, front.n_pivots);
        work += work_of(front.n_pivots, front.n_boundary);
    }
}

std::size_t Symbolic::bytes(std::size_t value_size) const {
    return value_size * (n_factor_values + n_stack_values + square(largest_front) + square(largest_pivots));
}

}  // namespace stembridge::tb

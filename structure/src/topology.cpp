// SPDX-License-Identifier: Apache-2.0
// Bonds, fragments and shortest-path rings.
#include "stembridge/structure/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <unordered_map>

#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge {
namespace {

using Shift = std::array<int, 3>;

Shift operator+(const Shift& a, const Shift& b) {
    return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}

Shift operator-(const Shift& a, const Shift& b) {
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

/// An atom in a periodic image: a vertex of the infinite crystal, in which a path that only wraps around
/// never closes.
struct Node {
    int atom;
    Shift image;
    bool operator==(const Node&) const = default;
    bool operator<(const Node& other) const {
        return std::tie(atom, image) < std::tie(other.atom, other.image);
    }
};

struct NodeHash {
    std::size_t operator()(const Node& node) const {
        std::size_t hash = static_cast<std::size_t>(node.atom);
        for (const int component : node.image)
            hash = hash * 1000003u + static_cast<std::size_t>(component + 512);
        return hash;
    }
};

/// Everything within some bonds of one atom (in image 0), breadth first.
struct Surroundings {
    std::vector<Node> nodes;  ///< in the order found, the atom itself first
    std::vector<int> level;   ///< bonds from the atom
    std::vector<std::vector<int>>
        before;  ///< entries of `nodes` one bond nearer to the atom, bonded to this one
    std::unordered_map<Node, int, NodeHash> entry;  ///< where a node stands in `nodes`

    Surroundings(const BondGraph& graph, int atom, int depth) {
        insert({atom, {0, 0, 0}}, 0);
        for (std::size_t k = 0; k < nodes.size(); ++k) {
            if (level[k] == depth) break;
            const Node node = nodes[k];
            for (const Neighbor& neighbor : graph.of(node.atom)) {
                const Node next = {neighbor.j, node.image + neighbor.image};
                const auto found = entry.find(next);
                const int e = found == entry.end() ? insert(next, level[k] + 1) : found->second;
                if (level[static_cast<std::size_t>(e)] == level[k] + 1)
                    before[static_cast<std::size_t>(e)].push_back(static_cast<int>(k));
            }
        }
    }

    /// Bonds from the atom to a node, or -1 beyond the depth.
    int distance_to(const Node& node) const {
        const auto found = entry.find(node);
        return found == entry.end() ? -1 : level[static_cast<std::size_t>(found->second)];
    }

  private:
    int insert(const Node& node, int at_level) {
        const int e = static_cast<int>(nodes.size());
        nodes.push_back(node);
        level.push_back(at_level);
        before.emplace_back();
        entry.emplace(node, e);
        return e;
    }
};

using Path = std::vector<Node>;

/// Finds the shortest-path rings whose lowest atom is the root.
class RingSearch {
  public:
    RingSearch(const BondGraph& graph, int smallest, int largest)
        : graph_(graph), smallest_(smallest), largest_(largest) {
        for (int atom = 0; atom < graph.n_atoms(); ++atom)
            surroundings_.emplace_back(graph, atom, largest / 2);
    }

    std::set<Path> rings_of(int root) const {
        std::set<Path> rings;
        const Surroundings& around = surroundings_[static_cast<std::size_t>(root)];
        for (std::size_t k = 1; k < around.nodes.size(); ++k) {
            if (around.nodes[k].atom < root) continue;
            const int level = around.level[k];
            const std::vector<Path> paths = shortest_paths(around, static_cast<int>(k));
            if (paths.empty()) continue;
            // Even rings 2m: two shortest paths to the atom m bonds away.
            if (2 * level >= smallest_ && 2 * level <= largest_)
                for (std::size_t p = 0; p < paths.size(); ++p)
                    for (std::size_t q = 0; q < p; ++q) {
                        Path ring = paths[p];
                        ring.insert(ring.end(), paths[q].rbegin() + 1, paths[q].rend() - 1);
                        accept(ring, root, rings);
                    }
            // Odd rings 2m+1: shortest paths to two bonded atoms, both m bonds away.
            if (2 * level + 1 < smallest_ || 2 * level + 1 > largest_) continue;
            for (const Neighbor& neighbor : graph_.of(around.nodes[k].atom)) {
                const Node next = {neighbor.j, around.nodes[k].image + neighbor.image};
                const auto found = around.entry.find(next);
                if (found == around.entry.end() || found->second >= static_cast<int>(k) || next.atom < root ||
                    around.level[static_cast<std::size_t>(found->second)] != level)
                    continue;
                for (const Path& back : shortest_paths(around, found->second))
                    for (const Path& path : paths) {
                        Path ring = path;
                        ring.insert(ring.end(), back.rbegin(), back.rend() - 1);
                        accept(ring, root, rings);
                    }
            }
        }
        return rings;
    }

  private:
    /// All shortest paths from the root to an entry that touch no atom below the root; both ends included.
    std::vector<Path> shortest_paths(const Surroundings& around, int e) const {
        if (e == 0) return {{around.nodes[0]}};
        std::vector<Path> result;
        for (const int before : around.before[static_cast<std::size_t>(e)]) {
            if (around.nodes[static_cast<std::size_t>(before)].atom < around.nodes[0].atom) continue;
            for (Path& path : shortest_paths(around, before)) {
                path.push_back(around.nodes[static_cast<std::size_t>(e)]);
                result.push_back(std::move(path));
            }
        }
        return result;
    }

    /// Keeps a cycle when every two opposite atoms are as far apart in the crystal as along the cycle, which
    /// implies the same of all other pairs.
    void accept(const Path& ring, int root, std::set<Path>& rings) const {
        const std::size_t n = ring.size(), half = n / 2;
        for (std::size_t p = 0; p < n; ++p) {
            const Node& from = ring[p];
            const Node& to = ring[(p + half) % n];
            if (surroundings_[static_cast<std::size_t>(from.atom)].distance_to(
                    {to.atom, to.image - from.image}) != static_cast<int>(half))
                return;
        }
        rings.insert(canonical(ring, root));
    }

    /// The same cycle started at each occurrence of the root, in both directions: the lexicographically first
    /// of them.
    static Path canonical(const Path& ring, int root) {
        const int n = static_cast<int>(ring.size());
        Path best;
        for (int start = 0; start < n; ++start) {
            if (ring[static_cast<std::size_t>(start)].atom != root) continue;
            for (const int direction : {1, -1}) {
                Path turned;
                for (int k = 0; k < n; ++k) {
                    const Node& node = ring[static_cast<std::size_t>((start + direction * k + n) % n)];
                    turned.push_back({node.atom, node.image - ring[static_cast<std::size_t>(start)].image});
                }
                if (best.empty() || turned < best) best = std::move(turned);
            }
        }
        return best;
    }

    const BondGraph& graph_;
    int smallest_, largest_;
    std::vector<Surroundings> surroundings_;
};

}  // namespace

double BondCriteria::limit(int atomic_number_a, int atomic_number_b) const {
    const auto found = longest.find(std::minmax(atomic_number_a, atomic_number_b));
    if (found != longest.end()) return found->second;
    const bool with_hydrogen = atomic_number_a == 1 || atomic_number_b == 1;
    return (with_hydrogen ? hydrogen_factor : factor) *
           (covalent_radius(atomic_number_a) + covalent_radius(atomic_number_b));
}

BondGraph::BondGraph(const Structure& structure, const BondCriteria& criteria)
    : neighbors_(static_cast<std::size_t>(structure.size())) {
    if (!(criteria.factor > 0) || !(criteria.hydrogen_factor > 0))
        throw InputError(fmt::format("bond factors must be positive, not {} and {}", criteria.factor,
                                     criteria.hydrogen_factor));
    const std::set<int> elements(structure.atomic_numbers.begin(), structure.atomic_numbers.end());
    std::map<std::pair<int, int>, double> limits;
    double cutoff = 0;
    for (const int a : elements)
        for (const int b : elements) {
            limits[{a, b}] = criteria.limit(a, b);
            cutoff = std::max(cutoff, limits[{a, b}]);
        }
    if (structure.size() == 0) return;
    const NeighborList pairs(structure, cutoff);
    for (int i = 0; i < structure.size(); ++i) {
        const auto atom = static_cast<std::size_t>(i);
        for (const Neighbor& pair : pairs.of(i))
            if (pair.distance <= limits.at({structure.atomic_numbers[atom],
                                            structure.atomic_numbers[static_cast<std::size_t>(pair.j)]}))
                neighbors_[atom].push_back(pair);
    }
}

std::vector<Bond> BondGraph::bonds() const {
    std::vector<Bond> result;
    for (int i = 0; i < n_atoms(); ++i)
        for (const Neighbor& n : of(i))
            if (i < n.j || (i == n.j && n.image > Shift{0, 0, 0}))
                result.push_back({i, n.j, n.image, n.r_ij, n.distance});
    return result;
}

BondGraph BondGraph::restricted_to(const std::vector<bool>& kept) const {
    if (kept.size() != neighbors_.size())
        throw std::logic_error("restricted_to needs one flag for each atom");
    BondGraph result = *this;
    for (std::size_t i = 0; i < neighbors_.size(); ++i) {
        if (!kept[i])
            result.neighbors_[i].clear();
        else
            std::erase_if(result.neighbors_[i],
                          [&](const Neighbor& n) { return !kept[static_cast<std::size_t>(n.j)]; });
    }
    return result;
}

std::vector<std::vector<int>> fragments(const BondGraph& graph) {
    std::vector<std::vector<int>> result;
    std::vector<bool> seen(static_cast<std::size_t>(graph.n_atoms()), false);
    for (int start = 0; start < graph.n_atoms(); ++start) {
        if (seen[static_cast<std::size_t>(start)]) continue;
        seen[static_cast<std::size_t>(start)] = true;
        std::vector<int> part = {start};
        for (std::size_t k = 0; k < part.size(); ++k)
            for (const Neighbor& n : graph.of(part[k])) {
                if (seen[static_cast<std::size_t>(n.j)]) continue;
                seen[static_cast<std::size_t>(n.j)] = true;
                part.push_back(n.j);
            }
        std::sort(part.begin(), part.end());
        result.push_back(std::move(part));
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.size() > b.size(); });
    return result;
}

Eigen::Matrix3Xd ring_positions(const Ring& ring, const Structure& structure) {
    Eigen::Matrix3Xd corners(3, ring.size());
    for (int k = 0; k < ring.size(); ++k) {
        const auto entry = static_cast<std::size_t>(k);
        corners.col(k) = structure.positions.col(ring.atoms[entry]);
        for (int axis = 0; axis < 3; ++axis) {
            const int shift = ring.images[entry][static_cast<std::size_t>(axis)];
            if (shift != 0) corners.col(k) += structure.cell.vector(axis) * shift;
        }
    }
    return corners;
}

std::vector<Ring> find_rings(const BondGraph& graph, int smallest, int largest) {
    if (smallest < 3 || largest < smallest || largest > 12)
        throw InputError(fmt::format("rings of {} to {} atoms cannot be searched: accepted are 3 to 12",
                                     smallest, largest));
    const RingSearch search(graph, smallest, largest);
    std::vector<Ring> rings;
    for (int root = 0; root < graph.n_atoms(); ++root)
        for (const Path& path : search.rings_of(root)) {
            Ring ring;
            for (const Node& node : path) {
                ring.atoms.push_back(node.atom);
                ring.images.push_back(node.image);
            }
            rings.push_back(std::move(ring));
        }
    return rings;
}

std::map<int, int> ring_counts(const std::vector<Ring>& rings) {
    std::map<int, int> counts;
    for (const Ring& ring : rings) ++counts[ring.size()];
    return counts;
}

}  // namespace stembridge

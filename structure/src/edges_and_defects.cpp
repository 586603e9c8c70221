// SPDX-License-Identifier: Apache-2.0
// Faces of a sheet (outer edges, holes), adsorbed atoms, defects.
#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "stembridge/base/errors.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge {
namespace {

using Shift = std::array<int, 3>;

/// A hole up to this many atoms around is a vacancy: three neighbouring atoms missing from graphene leave 16
/// at most.
constexpr int largest_vacancy = 16;
/// Clusters of more rings are not named by their sizes.
constexpr std::size_t largest_named_cluster = 8;
/// An atom this far out of the plane of its neighbours may sit on the sheet.
constexpr double adsorbed_height = 0.8 * units::angstrom;

Shift opposite(const Shift& shift) {
    return {-shift[0], -shift[1], -shift[2]};
}

Shift sum(const Shift& a, const Shift& b) {
    return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}

/// Normal of the plane near which all bonds lie, or nothing. The mean of u u^T over unit bond vectors u has
/// the eigenvalues (1/2, 1/2, 0) for a flat sheet, (1/3, 1/3, 1/3) for a solid and (1, 0, 0) for a chain.
std::optional<Eigen::Vector3d> sheet_normal(const BondGraph& graph) {
    Eigen::Matrix3d moment = Eigen::Matrix3d::Zero();
    int n_bonds = 0;
    for (int i = 0; i < graph.n_atoms(); ++i)
        for (const Neighbor& n : graph.of(i)) {
            if (n.distance == 0) continue;
            moment += n.r_ij * n.r_ij.transpose() / n.r_ij.squaredNorm();
            ++n_bonds;
        }
    if (n_bonds == 0) return std::nullopt;
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(moment / n_bonds);
    if (solver.eigenvalues()(0) > 0.15 || solver.eigenvalues()(1) < 0.02) return std::nullopt;
    Eigen::Vector3d normal = solver.eigenvectors().col(0);
    Eigen::Index largest = 0;
    normal.cwiseAbs().maxCoeff(&largest);
    return normal(largest) < 0 ? Eigen::Vector3d(-normal) : normal;
}

/// The bonds of a sheet as a drawing in its plane: bonds of each atom ordered by direction,
/// counter-clockwise.
class Drawing {
  public:
    struct Edge {
        int to;
        Shift image;
        Eigen::Vector2d step;
        int reverse;  ///< its place among the edges of `to`
    };

    Drawing(const BondGraph& graph, const Eigen::Vector3d& normal)
        : edges_(static_cast<std::size_t>(graph.n_atoms())) {
        const Eigen::Vector3d helper =
            std::abs(normal(0)) < 0.9 ? Eigen::Vector3d::UnitX() : Eigen::Vector3d::UnitY();
        const Eigen::Vector3d e1 = (helper - helper.dot(normal) * normal).normalized();
        const Eigen::Vector3d e2 = normal.cross(e1);
        for (int i = 0; i < graph.n_atoms(); ++i)
            for (const Neighbor& n : graph.of(i))
                edges_[static_cast<std::size_t>(i)].push_back(
                    {n.j, n.image, {e1.dot(n.r_ij), e2.dot(n.r_ij)}, -1});
        prune();
        remove_crossings();
        prune();
        for (auto& edges : edges_)
            std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
                return std::atan2(a.step(1), a.step(0)) < std::atan2(b.step(1), b.step(0));
            });
        for (int i = 0; i < n_atoms(); ++i)
            for (Edge& edge : edges_[static_cast<std::size_t>(i)])
                edge.reverse = find(edge.to, i, opposite(edge.image));
    }

    int n_atoms() const { return static_cast<int>(edges_.size()); }
    const std::vector<Edge>& of(int atom) const { return edges_[static_cast<std::size_t>(atom)]; }

  private:
    int find(int from, int to, const Shift& image) const {
        const auto& edges = of(from);
        for (std::size_t k = 0; k < edges.size(); ++k)
            if (edges[k].to == to && edges[k].image == image) return static_cast<int>(k);
        throw std::logic_error("a bond of the drawing has no reverse");
    }

    void remove(int from, int to, const Shift& image) {
        std::erase_if(edges_[static_cast<std::size_t>(from)],
                      [&](const Edge& edge) { return edge.to == to && edge.image == image; });
    }

    /// Removes atoms with a single bond again and again: they bound no face.
    void prune() {
        std::vector<int> open(static_cast<std::size_t>(n_atoms()));
        std::iota(open.begin(), open.end(), 0);
        while (!open.empty()) {
            const int atom = open.back();
            open.pop_back();
            if (of(atom).size() != 1) continue;
            const Edge edge = of(atom).front();
            edges_[static_cast<std::size_t>(atom)].clear();
            remove(edge.to, atom, opposite(edge.image));
            open.push_back(edge.to);
        }
    }

    /// Of two bonds that cross, the longer is removed. Ends of crossing bonds are themselves bonded, so that
    /// it is enough to look at the bonds of neighbours.
    void remove_crossings() {
        struct Doomed {
            int from, to;
            Shift image;
        };
        std::vector<Doomed> doomed;
        const auto cross = [](const Eigen::Vector2d& a, const Eigen::Vector2d& b) {
            return a(0) * b(1) - a(1) * b(0);
        };
        for (int i = 0; i < n_atoms(); ++i)
            for (const Edge& ij : of(i))
                for (const Edge& ik : of(i))
                    for (const Edge& kl : of(ik.to)) {
                        const Shift l_image = sum(ik.image, kl.image);
                        if ((kl.to == i && l_image == Shift{0, 0, 0}) ||
                            (kl.to == ij.to && l_image == ij.image))
                            continue;
                        // i at the origin, j, k, l around it; the bonds are i-j and k-l.
                        const Eigen::Vector2d j = ij.step, k = ik.step, l = k + kl.step;
                        if (cross(j, k) * cross(j, l) >= 0) continue;
                        if (cross(kl.step, k) * cross(kl.step, k - j) >= 0) continue;
                        const double difference = ij.step.norm() - kl.step.norm();
                        if (difference > 0 ||
                            (difference == 0 && std::minmax(i, ij.to) > std::minmax(ik.to, kl.to)))
                            doomed.push_back({i, ij.to, ij.image});
                    }
        for (const Doomed& bond : doomed) {
            remove(bond.from, bond.to, bond.image);
            remove(bond.to, bond.from, opposite(bond.image));
        }
    }

    std::vector<std::vector<Edge>> edges_;
};

/// One walk around a face, the face on the left.
struct Face {
    Ring border;
    double area = 0;      ///< signed: positive for a closed inner face, bohr^2
    bool closed = false;  ///< false when the walk ends in another periodic image of its start
};

std::vector<Face> walk_around_faces(const Drawing& drawing) {
    std::vector<std::vector<bool>> walked(static_cast<std::size_t>(drawing.n_atoms()));
    for (int i = 0; i < drawing.n_atoms(); ++i)
        walked[static_cast<std::size_t>(i)].assign(drawing.of(i).size(), false);
    std::vector<Face> faces;
    for (int start = 0; start < drawing.n_atoms(); ++start)
        for (std::size_t first = 0; first < drawing.of(start).size(); ++first) {
            if (walked[static_cast<std::size_t>(start)][first]) continue;
            Face face;
            Eigen::Vector2d position = Eigen::Vector2d::Zero();
            Shift image = {0, 0, 0};
            int atom = start;
            std::size_t out = first;
            do {
                walked[static_cast<std::size_t>(atom)][out] = true;
                face.border.atoms.push_back(atom);
                face.border.images.push_back(image);
                const Drawing::Edge& edge = drawing.of(atom)[out];
                face.area += 0.5 * (position(0) * edge.step(1) - position(1) * edge.step(0));
                position += edge.step;
                image = sum(image, edge.image);
                // The next bond clockwise from the one just come along keeps the face on the left.
                atom = edge.to;
                const std::size_t degree = drawing.of(atom).size();
                out = (static_cast<std::size_t>(edge.reverse) + degree - 1) % degree;
            } while (atom != start || out != first);
            face.closed = image == Shift{0, 0, 0};
            faces.push_back(std::move(face));
        }
    return faces;
}

bool share_edge(const Ring& a, const Ring& b) {
    const auto bond = [](const Ring& ring, int k) {
        return std::minmax(ring.atoms[static_cast<std::size_t>(k)],
                           ring.atoms[static_cast<std::size_t>((k + 1) % ring.size())]);
    };
    for (int k = 0; k < a.size(); ++k)
        for (int l = 0; l < b.size(); ++l) {
            const std::pair<int, int> p = bond(a, k), q = bond(b, l);
            if (p == q) return true;
        }
    return false;
}

bool contains(const Ring& ring, int atom) {
    return std::find(ring.atoms.begin(), ring.atoms.end(), atom) != ring.atoms.end();
}

std::string kind_of(const std::vector<const Ring*>& rings, bool has_hole) {
    if (rings.size() > largest_named_cluster) return "disordered";
    std::vector<int> sizes;
    std::map<int, std::vector<const Ring*>> of_size;
    for (const Ring* ring : rings) {
        sizes.push_back(ring->size());
        of_size[ring->size()].push_back(ring);
    }
    std::sort(sizes.begin(), sizes.end());
    if (has_hole && sizes.back() > largest_vacancy) return "hole";
    if (has_hole && sizes.size() <= 2) return "vacancy";
    if (sizes == std::vector{5, 9} && share_edge(*rings[0], *rings[1])) return "vacancy";
    if (sizes == std::vector{5, 5, 8} && share_edge(*of_size[5][0], *of_size[8][0]) &&
        share_edge(*of_size[5][1], *of_size[8][0]))
        return "5-8-5";
    if (sizes == std::vector{5, 5, 7, 7} && share_edge(*of_size[7][0], *of_size[7][1])) return "5-7-7-5";
    if (sizes == std::vector{5, 5, 5, 7, 7, 7})
        for (const int atom : of_size[7][0]->atoms)
            if (contains(*of_size[7][1], atom) && contains(*of_size[7][2], atom)) return "555-777";
    return fmt::format("{}", fmt::join(sizes, "-"));
}

/// Mean position of atoms that hang together, in one piece.
Eigen::Vector3d centre_of(const std::vector<int>& atoms, const Structure& structure, const BondGraph& graph) {
    std::map<int, Eigen::Vector3d> placed = {{atoms.front(), structure.positions.col(atoms.front())}};
    std::vector<int> open = {atoms.front()};
    while (!open.empty()) {
        const int i = open.back();
        open.pop_back();
        for (const Neighbor& n : graph.of(i)) {
            if (placed.count(n.j) != 0 || !std::binary_search(atoms.begin(), atoms.end(), n.j)) continue;
            placed[n.j] = placed[i] + n.r_ij;
            open.push_back(n.j);
        }
    }
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    for (const auto& [atom, position] : placed) sum += position;
    return sum / static_cast<double>(placed.size());
}

/// Groups 0..n-1 into connected sets, joined by join(a, b).
class Groups {
  public:
    explicit Groups(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0u); }
    std::size_t root(std::size_t k) {
        while (parent_[k] != k) k = parent_[k] = parent_[parent_[k]];
        return k;
    }
    void join(std::size_t a, std::size_t b) {
        parent_[std::max(root(a), root(b))] = std::min(root(a), root(b));
    }

  private:
    std::vector<std::size_t> parent_;
};

}  // namespace

std::vector<int> adsorbed_atoms(const Structure& structure, const BondGraph& graph) {
    const auto normal = sheet_normal(graph);
    std::vector<int> result;
    if (!normal) return result;
    for (int i = 0; i < structure.size(); ++i) {
        const auto& around = graph.of(i);
        if (around.size() < 2) continue;
        double height = 0;
        for (const Neighbor& n : around) height -= normal->dot(n.r_ij) / static_cast<double>(around.size());
        if (std::abs(height) < adsorbed_height) continue;
        const auto bonded = [&](const Neighbor& a, const Neighbor& b) {
            const auto& list = graph.of(a.j);
            return std::any_of(list.begin(), list.end(), [&](const Neighbor& n) {
                return n.j == b.j && n.image[0] == b.image[0] - a.image[0] &&
                       n.image[1] == b.image[1] - a.image[1] && n.image[2] == b.image[2] - a.image[2];
            });
        };
        bool in_triangle = false;
        for (std::size_t a = 0; a < around.size(); ++a)
            for (std::size_t b = 0; b < a; ++b) in_triangle = in_triangle || bonded(around[a], around[b]);
        if (in_triangle) result.push_back(i);
    }
    return result;
}

std::optional<SheetEdges> find_edges(const Structure& structure, const BondGraph& graph, int largest_ring) {
    // What hangs together in the sheet, without H and without what sits on top.
    std::vector<bool> on_top(static_cast<std::size_t>(structure.size()), false);
    for (const int i : adsorbed_atoms(structure, graph)) on_top[static_cast<std::size_t>(i)] = true;
    std::vector<bool> in_sheet(static_cast<std::size_t>(structure.size()));
    for (std::size_t i = 0; i < in_sheet.size(); ++i)
        in_sheet[i] = !on_top[i] && structure.atomic_numbers[i] != 1;
    const BondGraph sheet = graph.restricted_to(in_sheet);
    const auto normal = sheet_normal(sheet);
    if (!normal) return std::nullopt;

    SheetEdges result;
    result.normal = *normal;
    const Drawing drawing(sheet, *normal);
    std::vector<bool> outer(static_cast<std::size_t>(structure.size()), false);
    std::vector<int> open;
    const auto add_outer = [&](int atom) {
        if (outer[static_cast<std::size_t>(atom)]) return;
        outer[static_cast<std::size_t>(atom)] = true;
        open.push_back(atom);
    };
    for (Face& face : walk_around_faces(drawing)) {
        if (!face.closed || face.area < 0)
            for (const int atom : face.border.atoms) add_outer(atom);
        else if (face.border.size() > largest_ring)
            result.holes.push_back(std::move(face.border));
    }
    // Whatever hangs on the outer edge belongs to it, and so does a part without any face.
    for (const std::vector<int>& part : fragments(sheet))
        if (std::all_of(part.begin(), part.end(), [&](int i) {
                return drawing.of(i).empty() && in_sheet[static_cast<std::size_t>(i)];
            }))
            for (const int atom : part) add_outer(atom);
    while (!open.empty()) {
        const int atom = open.back();
        open.pop_back();
        for (const Neighbor& n : graph.of(atom))
            if (drawing.of(n.j).empty() && !on_top[static_cast<std::size_t>(n.j)]) add_outer(n.j);
    }
    for (int i = 0; i < structure.size(); ++i)
        if (outer[static_cast<std::size_t>(i)]) result.outer.push_back(i);
    return result;
}

std::vector<Defect> find_defects(const Structure& structure, const BondGraph& graph,
                                 const std::vector<Ring>& rings, const std::optional<SheetEdges>& edges) {
    std::vector<Defect> defects;
    if (!edges) return defects;
    const auto element = [&](int atom) { return structure.atomic_numbers[static_cast<std::size_t>(atom)]; };
    const auto add = [&](std::string kind, std::vector<int> atoms, std::vector<int> sizes) {
        std::sort(atoms.begin(), atoms.end());
        atoms.erase(std::unique(atoms.begin(), atoms.end()), atoms.end());
        std::sort(sizes.begin(), sizes.end());
        const Eigen::Vector3d centre = centre_of(atoms, structure, graph);
        defects.push_back({std::move(kind), std::move(atoms), std::move(sizes), centre});
    };

    // Rings that are not hexagons, and holes; those that share an atom belong together.
    std::vector<const Ring*> odd;
    for (const Ring& ring : rings)
        if (ring.size() != 6) odd.push_back(&ring);
    const std::size_t n_rings = odd.size();
    for (const Ring& hole : edges->holes) odd.push_back(&hole);
    Groups groups(odd.size());
    std::map<int, std::size_t> ring_of_atom;
    for (std::size_t k = 0; k < odd.size(); ++k)
        for (const int atom : odd[k]->atoms) {
            const auto [first, is_new] = ring_of_atom.emplace(atom, k);
            if (!is_new) groups.join(first->second, k);
        }
    std::map<std::size_t, std::vector<std::size_t>> clusters;
    for (std::size_t k = 0; k < odd.size(); ++k) clusters[groups.root(k)].push_back(k);
    for (const auto& [root, members] : clusters) {
        std::vector<const Ring*> cluster;
        std::vector<int> atoms, sizes;
        for (const std::size_t k : members) {
            cluster.push_back(odd[k]);
            sizes.push_back(odd[k]->size());
            atoms.insert(atoms.end(), odd[k]->atoms.begin(), odd[k]->atoms.end());
        }
        const bool has_hole = members.back() >= n_rings;
        add(kind_of(cluster, has_hole), atoms, sizes);
    }

    // Foreign atoms in a ring or at a hole of a sheet that is mostly carbon.
    std::set<int> in_sheet;
    for (const Ring& ring : rings) in_sheet.insert(ring.atoms.begin(), ring.atoms.end());
    for (const Ring& hole : edges->holes) in_sheet.insert(hole.atoms.begin(), hole.atoms.end());
    std::vector<bool> foreign(static_cast<std::size_t>(structure.size()), false);
    std::size_t n_foreign = 0;
    for (const int atom : in_sheet)
        if (element(atom) != 6) {
            foreign[static_cast<std::size_t>(atom)] = true;
            ++n_foreign;
        }
    if (2 * n_foreign < in_sheet.size())
        for (const std::vector<int>& part : fragments(graph.restricted_to(foreign)))
            if (foreign[static_cast<std::size_t>(part.front())]) add("substitution", part, {});

    std::stable_sort(defects.begin(), defects.end(),
                     [](const Defect& a, const Defect& b) { return a.atoms.size() > b.atoms.size(); });
    return defects;
}

}  // namespace stembridge

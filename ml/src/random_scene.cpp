// SPDX-License-Identifier: Apache-2.0
// Random sheets of graphene: the honeycomb is the dual of the triangulated ring centres, so every change of
// the centres (one left out, one added, two grains) gives a proper network of 5-, 6-, 7- and 8-rings.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "filters.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/simulate_image.hpp"
#include "triangulation.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double bond_length = 1.42;
constexpr double silicon_bond_length = 1.78;

/// Atoms and bonds as a graph that can be edited, then relaxed.
struct Sheet {
    std::vector<Point> position;
    std::vector<int> atomic_number;
    std::vector<std::vector<int>> neighbors;
    std::vector<char> alive;

    void bond(int i, int j) {
        neighbors[static_cast<std::size_t>(i)].push_back(j);
        neighbors[static_cast<std::size_t>(j)].push_back(i);
    }
    void remove(int i) {
        for (const int j : neighbors[static_cast<std::size_t>(i)])
            std::erase(neighbors[static_cast<std::size_t>(j)], i);
        neighbors[static_cast<std::size_t>(i)].clear();
        alive[static_cast<std::size_t>(i)] = 0;
    }
    int size() const { return static_cast<int>(position.size()); }

    /// Springs along bonds and, weaker, between second neighbours (angles); steepest descent.
    void relax(int iterations) {
        struct Spring {
            int i, j;
            double length, stiffness;
        };
        std::vector<Spring> springs;
        const auto silicon = [&](int i) { return atomic_number[static_cast<std::size_t>(i)] > 6; };
        for (int i = 0; i < size(); ++i) {
            const auto& around = neighbors[static_cast<std::size_t>(i)];
            for (const int j : around)
                if (j > i)
                    springs.push_back(
                        {i, j, silicon(i) || silicon(j) ? silicon_bond_length : bond_length, 1.0});
            if (around.size() != 3) continue;
            const double angle_length = std::sqrt(3.0) * (silicon(i) ? silicon_bond_length : bond_length);
            for (int a = 0; a < 3; ++a)
                springs.push_back({around[a], around[(a + 1) % 3], angle_length, 0.12});
        }
        std::vector<Point> force(position.size());
        for (int iteration = 0; iteration < iterations; ++iteration) {
            std::fill(force.begin(), force.end(), Point::Zero());
            for (const Spring& s : springs) {
                const Point d =
                    position[static_cast<std::size_t>(s.j)] - position[static_cast<std::size_t>(s.i)];
                const double length = std::max(d.norm(), 0.1);
                const Point f = s.stiffness * (1 - s.length / length) * d;
                force[static_cast<std::size_t>(s.i)] += f;
                force[static_cast<std::size_t>(s.j)] -= f;
            }
            for (std::size_t i = 0; i < position.size(); ++i) {
                const double norm = force[i].norm();
                position[i] += 0.22 * force[i] * (norm > 0.5 ? 0.5 / norm : 1.0);
            }
        }
    }
};

/// Expected number -> a number, by chance for the fraction.
int count_of(double density_per_10000, double area, Random& random) {
    const double mean = density_per_10000 * area / 1e4;
    return static_cast<int>(mean) + (random.uniform() < mean - std::floor(mean) ? 1 : 0);
}

std::vector<Point> ring_centres(const SceneOptions& o, Random& random) {
    const double a = o.lattice_angstrom, margin = o.margin_angstrom + a;
    const Point middle(0.5 * o.width_angstrom, 0.5 * o.height_angstrom);
    const double reach = 0.5 * std::hypot(o.width_angstrom, o.height_angstrom) + margin;
    const int n = static_cast<int>(reach / (0.8 * a)) + 2;
    const double boundary_angle = random.uniform(0, 2 * pi), boundary_wave = random.uniform(0, 2 * pi);
    const double boundary_offset =
        random.uniform(-0.25, 0.25) * std::min(o.width_angstrom, o.height_angstrom);
    std::vector<Point> points;
    for (int grain = 0; grain < (o.grain_boundary ? 2 : 1); ++grain) {
        const double angle = (o.rotation_deg + grain * o.misorientation_deg) * pi / 180;
        const Eigen::Rotation2Dd turn(angle);
        const Point shift(random.uniform(0, a), random.uniform(0, a));
        for (int i = -n; i <= n; ++i)
            for (int j = -n; j <= n; ++j) {
                const Point p = middle + turn * (Point(a * (i + 0.5 * j), a * std::sqrt(0.75) * j) + shift);
                if (p.x() < -margin || p.y() < -margin || p.x() > o.width_angstrom + margin ||
                    p.y() > o.height_angstrom + margin)
                    continue;
                if (o.grain_boundary) {
                    const Point d = p - middle;
                    const double along = -d.x() * std::sin(boundary_angle) + d.y() * std::cos(boundary_angle);
                    const double across = d.x() * std::cos(boundary_angle) +
                                          d.y() * std::sin(boundary_angle) - boundary_offset -
                                          3 * std::sin(along / 12 + boundary_wave);
                    if ((across > 0) != (grain == 0)) continue;
                }
                points.push_back(p);
            }
        // Where the grains meet, rings that would overlap are left out.
        if (grain == 1) {
            const std::vector<Point> all = points;
            const NeighborBins bins(all, 0.72 * a);
            std::vector<Point> kept;
            std::vector<int> near;
            for (std::size_t i = 0; i < all.size(); ++i) {
                bins.within(all[i], 0.72 * a, near);
                if (std::none_of(near.begin(), near.end(), [&](int j) { return j < static_cast<int>(i); }))
                    kept.push_back(all[i]);
            }
            points = std::move(kept);
        }
    }
    return points;
}

/// Puts a scene together, step by step. What comes first decides the random numbers of what follows.
class SceneMaker {
  public:
    SceneMaker(const SceneOptions& options, std::uint64_t seed)
        : o_(options),
          random_(seed ^ 0x5343454e45ULL),
          area_(options.width_angstrom * options.height_angstrom) {}

    std::vector<SceneAtom> make() {
        place_rings();
        turn_bonds();
        place_atoms();
        cut_holes();
        for (int k = count_of(o_.vacancies, area_, random_); k > 0; --k)
            if (const int i = random_atom(); i >= 0) sheet_.remove(i);
        substitute_silicon();
        place_silicon_clusters();
        remove_loose_atoms();
        if (o_.silicon_edge_share > 0) put_silicon_at_edges();
        // What is not wanted draws no random numbers: scenes without it stay the same.
        if (o_.chromium_substitutions > 0)
            for (int k = count_of(o_.chromium_substitutions, area_, random_); k > 0; --k)
                if (const int i = random_atom(); i >= 0) element(i) = 24;
        sheet_.relax(120);
        std::vector<SceneAtom> atoms = displaced();
        add_on_bonds(o_.silicon_adatoms, 14, atoms);
        if (o_.carbon_adatoms > 0) add_on_bonds(o_.carbon_adatoms, 6, atoms);
        if (o_.chromium_adatoms > 0) add_chromium_over_rings(atoms);
        return atoms;
    }

  private:
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    int& element(int i) { return sheet_.atomic_number[at(i)]; }
    const std::vector<int>& neighbors(int i) const { return sheet_.neighbors[at(i)]; }
    const Point& position(int i) const { return sheet_.position[at(i)]; }

    bool is_inside(const Point& p, double margin = 0) const {
        return p.x() > margin && p.y() > margin && p.x() < o_.width_angstrom - margin &&
               p.y() < o_.height_angstrom - margin;
    }

    const Point& random_ring() {
        return centres_[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(centres_.size())))];
    }

    /// A carbon atom of the frame with three bonds; -1 where none is found.
    int random_atom() {
        for (int attempt = 0; attempt < 200; ++attempt) {
            const int i = static_cast<int>(random_.below(sheet_.size()));
            if (sheet_.alive[at(i)] && element(i) == 6 && neighbors(i).size() == 3 && is_inside(position(i)))
                return i;
        }
        return -1;
    }

    /// Ring centres, some left out (double vacancies), some added (interstitials).
    void place_rings() {
        centres_ = ring_centres(o_, random_);
        for (int k = count_of(o_.divacancies, area_, random_); k > 0 && centres_.size() > 30; --k)
            centres_.erase(centres_.begin() + static_cast<std::ptrdiff_t>(
                                                  random_.below(static_cast<std::int64_t>(centres_.size()))));
        for (int k = count_of(o_.interstitials, area_, random_); k > 0 && !centres_.empty(); --k) {
            const Point beside = random_ring();
            const double angle = random_.uniform(0, 2 * pi);
            centres_.push_back(beside +
                               0.577 * o_.lattice_angstrom * Point(std::cos(angle), std::sin(angle)));
        }
        for (Point& p : centres_) p += 1e-3 * Point(random_.normal(), random_.normal());
        triangles_ = delaunay(centres_);
        if (o_.grain_boundary || o_.divacancies > 0 || o_.interstitials > 0)
            for (int round = 0; round < 3; ++round) spread_rings();
    }

    /// Crowded or loose rings spread evenly: each centre goes to the mean of its neighbours.
    void spread_rings() {
        std::vector<Point> sum(centres_.size(), Point::Zero());
        std::vector<int> count(centres_.size(), 0);
        std::vector<char> rim(centres_.size(), 0);
        for (const auto& [edge, two] : sides(triangles_)) {
            const auto [i, j] = edge;
            for (const auto& [from, to] : {std::pair{i, j}, std::pair{j, i}}) {
                sum[at(to)] += centres_[at(from)];
                ++count[at(to)];
                rim[at(to)] |= two[1] < 0;
            }
        }
        for (std::size_t i = 0; i < centres_.size(); ++i)
            if (!rim[i] && count[i] > 0) centres_[i] += 0.7 * (sum[i] / count[i] - centres_[i]);
        triangles_ = delaunay(centres_);
    }

    /// A Stone-Wales defect turns one bond: in the triangulation, one edge is flipped.
    void turn_bonds() {
        const int flips = count_of(o_.stone_wales, area_, random_);
        edges_ = sides(triangles_);
        for (int k = 0; k < flips; ++k) {
            auto chosen = edges_.cbegin();
            std::advance(chosen, random_.below(static_cast<std::int64_t>(edges_.size())));
            if (chosen->second[1] >= 0) flip(chosen, triangles_, edges_);
        }
    }

    /// Atoms in the triangles, bonds across the edges.
    void place_atoms() {
        for (const Triangle& t : triangles_) {
            Point sum = Point::Zero();
            for (const int corner : t) sum += centres_[at(corner)];
            sheet_.position.push_back(sum / 3);
        }
        sheet_.atomic_number.assign(triangles_.size(), 6);
        sheet_.neighbors.resize(triangles_.size());
        sheet_.alive.assign(triangles_.size(), 1);
        for (const auto& [edge, two] : edges_)
            if (two[1] >= 0) sheet_.bond(two[0], two[1]);
    }

    void cut_holes() {
        for (int k = count_of(o_.holes, area_, random_); k > 0; --k) {
            const Point centre(random_.uniform(0, o_.width_angstrom), random_.uniform(0, o_.height_angstrom));
            const double phase = random_.uniform(0, 2 * pi),
                         radius = o_.hole_radius_angstrom * random_.uniform(0.6, 1.2);
            for (int i = 0; i < sheet_.size(); ++i) {
                const Point d = position(i) - centre;
                if (d.norm() < radius * (1 + 0.25 * std::sin(3 * std::atan2(d.y(), d.x()) + phase)))
                    sheet_.remove(i);
            }
        }
    }

    void substitute_silicon() {
        for (int k = count_of(o_.silicon_substitutions, area_, random_); k > 0; --k) {
            const int i = random_atom();
            if (i < 0) break;
            if (random_.uniform() < 0.25) {
                // Si takes the place of two atoms and bonds to the four around them.
                const int j = neighbors(i)[0];
                std::vector<int> around = neighbors(j);
                std::erase(around, i);
                const Point middle = 0.5 * (position(i) + position(j));
                sheet_.remove(j);
                for (const int neighbor : around) sheet_.bond(i, neighbor);
                sheet_.position[at(i)] = middle;
            }
            element(i) = 14;
        }
    }

    /// Two or three Si beside each other.
    void place_silicon_clusters() {
        for (int k = count_of(o_.silicon_clusters, area_, random_); k > 0; --k) {
            const int i = random_atom();
            if (i < 0) break;
            element(i) = 14;
            element(neighbors(i)[0]) = 14;
            if (random_.uniform() < 0.5) element(neighbors(i)[1]) = 14;
        }
    }

    /// Atoms with a single bond do not stay at an edge.
    void remove_loose_atoms() {
        for (bool removed = true; removed;) {
            removed = false;
            for (int i = 0; i < sheet_.size(); ++i)
                if (sheet_.alive[at(i)] && neighbors(i).size() < 2) {
                    sheet_.remove(i);
                    removed = true;
                }
        }
    }

    void put_silicon_at_edges() {
        for (int i = 0; i < sheet_.size(); ++i)
            if (sheet_.alive[at(i)] && neighbors(i).size() == 2 && is_inside(position(i)) &&
                random_.uniform() < o_.silicon_edge_share)
                element(i) = 14;
    }

    /// The atoms of frame and margin, after long-wave strain and the random displacement of each.
    std::vector<SceneAtom> displaced() {
        struct Wave {
            Point k, amplitude;
            double phase;
        };
        std::array<Wave, 4> waves;
        for (Wave& wave : waves) {
            const double length = random_.uniform(0.5, 2) * std::max(o_.width_angstrom, o_.height_angstrom);
            const double angle = random_.uniform(0, 2 * pi);
            wave.k = 2 * pi / length * Point(std::cos(angle), std::sin(angle));
            wave.amplitude = 0.5 * o_.strain * length / (2 * pi) * Point(random_.normal(), random_.normal());
            wave.phase = random_.uniform(0, 2 * pi);
        }
        std::vector<SceneAtom> atoms;
        for (int i = 0; i < sheet_.size(); ++i) {
            if (!sheet_.alive[at(i)]) continue;
            Point p = position(i) + o_.displacement_angstrom * Point(random_.normal(), random_.normal());
            for (const Wave& wave : waves)
                p += wave.amplitude * std::sin(wave.k.dot(position(i)) + wave.phase);
            if (is_inside(p, -o_.margin_angstrom)) atoms.push_back({p.x(), p.y(), element(i)});
        }
        return atoms;
    }

    void add_on_bonds(double density_per_10000, int atomic_number, std::vector<SceneAtom>& atoms) {
        for (int k = count_of(density_per_10000, area_, random_); k > 0; --k) {
            const int i = random_atom();
            if (i < 0) break;
            const Point p = 0.5 * (position(i) + position(neighbors(i)[0]));
            atoms.push_back({p.x(), p.y(), atomic_number});
        }
    }

    void add_chromium_over_rings(std::vector<SceneAtom>& atoms) {
        for (int k = count_of(o_.chromium_adatoms, area_, random_); k > 0; --k) {
            const Point p = random_ring();
            if (is_inside(p)) atoms.push_back({p.x(), p.y(), 24});
        }
    }

    const SceneOptions& o_;
    Random random_;
    double area_;
    std::vector<Point> centres_;  ///< of rings
    std::vector<Triangle> triangles_;
    Sides edges_;
    Sheet sheet_;
};

}  // namespace

std::vector<SceneAtom> random_scene(const SceneOptions& o, const Context& context) {
    if (!(o.width_angstrom > 0 && o.height_angstrom > 0 && o.width_angstrom < 2000 &&
          o.height_angstrom < 2000))
        throw InputError("random scene: 'width' and 'height' must lie between 0 and 2000 angstrom");
    if (!(o.lattice_angstrom > 1 && o.lattice_angstrom < 5))
        throw InputError("random scene: 'lattice' must lie between 1 and 5 angstrom");
    return SceneMaker(o, context.seed).make();
}

}  // namespace stembridge::ml

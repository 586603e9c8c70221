// SPDX-License-Identifier: Apache-2.0
// Random sheets of graphene: the honeycomb is the dual of the triangulated ring centres, so every change of
// the centres (one left out, one added, two grains) gives a proper network of 5-, 6-, 7- and 8-rings.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>

#include "filters.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/ml/simulate_image.hpp"

namespace stembridge::ml {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double bond_length = 1.42;
constexpr double silicon_bond_length = 1.78;
using Point = Eigen::Vector2d;
using Triangle = std::array<int, 3>;

/// Delaunay triangulation by incremental insertion along x; triangles whose circumcircle lies wholly to the
/// left of the sweep are finished. @source Bowyer, Comput. J. 24, 162 (1981); Watson, ibid. 167
std::vector<Triangle> delaunay(std::vector<Point>& points) {
    std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.x() < b.x(); });
    const int n = static_cast<int>(points.size());
    std::vector<Point> p = points;
    Point low = p.front(), high = p.front();
    for (const Point& q : p) {
        low = low.cwiseMin(q);
        high = high.cwiseMax(q);
    }
    const double size = 20 * (high - low).maxCoeff() + 1;
    const Point middle = 0.5 * (low + high);
    p.push_back(middle + Point(-size, -size));
    p.push_back(middle + Point(size, -size));
    p.push_back(middle + Point(0, size));

    struct Open {
        Triangle corners;
        Point centre;
        double radius2;
    };
    const auto circumscribe = [&](const Triangle& t) {
        const Point a = p[static_cast<std::size_t>(t[0])];
        const Point b = p[static_cast<std::size_t>(t[1])] - a, c = p[static_cast<std::size_t>(t[2])] - a;
        const double d = 2 * (b.x() * c.y() - b.y() * c.x());
        const Point u((c.y() * b.squaredNorm() - b.y() * c.squaredNorm()) / d,
                      (b.x() * c.squaredNorm() - c.x() * b.squaredNorm()) / d);
        return Open{t, a + u, u.squaredNorm()};
    };
    std::vector<Open> open{circumscribe({n, n + 1, n + 2})};
    std::vector<Triangle> finished;
    std::vector<std::pair<int, int>> edges;
    for (int i = 0; i < n; ++i) {
        const Point q = p[static_cast<std::size_t>(i)];
        edges.clear();
        for (std::size_t t = 0; t < open.size();) {
            const double dx = q.x() - open[t].centre.x();
            const bool inside = (q - open[t].centre).squaredNorm() < open[t].radius2;
            const bool passed = dx > 0 && dx * dx > open[t].radius2;
            if (!inside && !passed) {
                ++t;
                continue;
            }
            const Triangle c = open[t].corners;
            if (inside)
                for (int k = 0; k < 3; ++k) edges.emplace_back(std::minmax(c[k], c[(k + 1) % 3]));
            else
                finished.push_back(c);
            open[t] = open.back();
            open.pop_back();
        }
        std::sort(edges.begin(), edges.end());
        for (std::size_t e = 0; e < edges.size(); ++e) {
            const bool shared =
                (e > 0 && edges[e] == edges[e - 1]) || (e + 1 < edges.size() && edges[e] == edges[e + 1]);
            if (!shared) open.push_back(circumscribe({edges[e].first, edges[e].second, i}));
        }
    }
    for (const Open& t : open) finished.push_back(t.corners);
    std::erase_if(finished, [n](const Triangle& t) { return *std::max_element(t.begin(), t.end()) >= n; });
    // Hull slivers are no rings' corners.
    std::erase_if(finished, [&](const Triangle& t) {
        for (int k = 0; k < 3; ++k)
            if ((p[static_cast<std::size_t>(t[k])] - p[static_cast<std::size_t>(t[(k + 1) % 3])]).norm() >
                2.2 * 2.46)
                return true;
        return false;
    });
    return finished;
}

/// Triangles on the two sides of each edge, the lower number first; the second is -1 on the rim.
using Sides = std::map<std::pair<int, int>, std::array<int, 2>>;

Sides sides(const std::vector<Triangle>& triangles) {
    Sides result;
    for (int t = 0; t < static_cast<int>(triangles.size()); ++t)
        for (int k = 0; k < 3; ++k) {
            const auto edge = std::minmax(triangles[static_cast<std::size_t>(t)][k],
                                          triangles[static_cast<std::size_t>(t)][(k + 1) % 3]);
            const auto [place, fresh] = result.try_emplace(edge, std::array<int, 2>{t, -1});
            if (!fresh) place->second[1] = t;
        }
    return result;
}

/// Turns an edge inside a triangulation: it joins the two corners opposite to it instead.
void flip(Sides::const_iterator chosen, std::vector<Triangle>& triangles, Sides& edges) {
    const auto [first, second] = chosen->first;
    const auto [one, other] = chosen->second;
    const auto opposite = [&, a = first, b = second](int t) {
        for (const int corner : triangles[static_cast<std::size_t>(t)])
            if (corner != a && corner != b) return corner;
        throw std::logic_error("random_scene: a triangle without a third corner");
    };
    const int c = opposite(one), d = opposite(other);
    triangles[static_cast<std::size_t>(one)] = {c, d, first};
    triangles[static_cast<std::size_t>(other)] = {c, d, second};
    if (c == d || edges.contains(std::minmax(c, d))) {  // two corners are joined by one edge only
        edges = sides(triangles);
        return;
    }
    edges.erase(chosen);
    edges[std::minmax(c, d)] = {one, other};
    const auto hand_over = [&](int a, int b, int from, int to) {
        std::array<int, 2>& two = edges.at(std::minmax(a, b));
        std::replace(two.begin(), two.end(), from, to);
        if (two[1] >= 0 && two[1] < two[0]) std::swap(two[0], two[1]);
    };
    hand_over(second, c, one, other);
    hand_over(first, d, other, one);
}

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

}  // namespace

std::vector<SceneAtom> random_scene(const SceneOptions& o, const Context& context) {
    if (!(o.width_angstrom > 0 && o.height_angstrom > 0 && o.width_angstrom < 2000 &&
          o.height_angstrom < 2000))
        throw InputError("random scene: 'width' and 'height' must lie between 0 and 2000 angstrom");
    if (!(o.lattice_angstrom > 1 && o.lattice_angstrom < 5))
        throw InputError("random scene: 'lattice' must lie between 1 and 5 angstrom");
    Random random(context.seed ^ 0x5343454e45ULL);
    const double area = o.width_angstrom * o.height_angstrom;
    const auto inside = [&](const Point& p, double margin) {
        return p.x() > margin && p.y() > margin && p.x() < o.width_angstrom - margin &&
               p.y() < o.height_angstrom - margin;
    };

    // Ring centres, some left out (double vacancies), some added (interstitials).
    std::vector<Point> centres = ring_centres(o, random);
    for (int k = count_of(o.divacancies, area, random); k > 0 && centres.size() > 30; --k)
        centres.erase(centres.begin() +
                      static_cast<std::ptrdiff_t>(random.below(static_cast<std::int64_t>(centres.size()))));
    for (int k = count_of(o.interstitials, area, random); k > 0 && !centres.empty(); --k) {
        const Point at =
            centres[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(centres.size())))];
        const double angle = random.uniform(0, 2 * pi);
        centres.push_back(at + 0.577 * o.lattice_angstrom * Point(std::cos(angle), std::sin(angle)));
    }
    for (Point& p : centres) p += 1e-3 * Point(random.normal(), random.normal());
    // Crowded or loose rings spread evenly: each centre goes to the mean of its neighbours.
    std::vector<Triangle> triangles = delaunay(centres);
    if (o.grain_boundary || o.divacancies > 0 || o.interstitials > 0) {
        for (int round = 0; round < 3; ++round) {
            std::vector<Point> sum(centres.size(), Point::Zero());
            std::vector<int> count(centres.size(), 0);
            std::vector<char> rim(centres.size(), 0);
            for (const auto& [edge, two] : sides(triangles)) {
                const auto [i, j] = edge;
                for (const auto& [from, to] : {std::pair{i, j}, std::pair{j, i}}) {
                    sum[static_cast<std::size_t>(to)] += centres[static_cast<std::size_t>(from)];
                    ++count[static_cast<std::size_t>(to)];
                    rim[static_cast<std::size_t>(to)] |= two[1] < 0;
                }
            }
            for (std::size_t i = 0; i < centres.size(); ++i)
                if (!rim[i] && count[i] > 0) centres[i] += 0.7 * (sum[i] / count[i] - centres[i]);
            triangles = delaunay(centres);
        }
    }
    // A Stone-Wales defect turns one bond: in the triangulation, one edge is flipped.
    const int flips = count_of(o.stone_wales, area, random);
    Sides edges = sides(triangles);
    for (int k = 0; k < flips; ++k) {
        auto chosen = edges.cbegin();
        std::advance(chosen, random.below(static_cast<std::int64_t>(edges.size())));
        if (chosen->second[1] >= 0) flip(chosen, triangles, edges);
    }

    // Atoms in the triangles, bonds across the edges.
    Sheet sheet;
    for (const Triangle& t : triangles) {
        Point sum = Point::Zero();
        for (const int corner : t) sum += centres[static_cast<std::size_t>(corner)];
        sheet.position.push_back(sum / 3);
    }
    sheet.atomic_number.assign(triangles.size(), 6);
    sheet.neighbors.resize(triangles.size());
    sheet.alive.assign(triangles.size(), 1);
    for (const auto& [edge, two] : edges)
        if (two[1] >= 0) sheet.bond(two[0], two[1]);

    const auto random_atom = [&](double margin) {
        for (int attempt = 0; attempt < 200; ++attempt) {
            const int i = static_cast<int>(random.below(sheet.size()));
            const auto s = static_cast<std::size_t>(i);
            if (sheet.alive[s] && sheet.atomic_number[s] == 6 && sheet.neighbors[s].size() == 3 &&
                inside(sheet.position[s], margin))
                return i;
        }
        return -1;
    };
    for (int k = count_of(o.holes, area, random); k > 0; --k) {
        const Point centre(random.uniform(0, o.width_angstrom), random.uniform(0, o.height_angstrom));
        const double phase = random.uniform(0, 2 * pi),
                     radius = o.hole_radius_angstrom * random.uniform(0.6, 1.2);
        for (int i = 0; i < sheet.size(); ++i) {
            const Point d = sheet.position[static_cast<std::size_t>(i)] - centre;
            if (d.norm() < radius * (1 + 0.25 * std::sin(3 * std::atan2(d.y(), d.x()) + phase)))
                sheet.remove(i);
        }
    }
    for (int k = count_of(o.vacancies, area, random); k > 0; --k)
        if (const int i = random_atom(0); i >= 0) sheet.remove(i);
    for (int k = count_of(o.silicon_substitutions, area, random); k > 0; --k) {
        const int i = random_atom(0);
        if (i < 0) break;
        if (random.uniform() < 0.25) {
            // Si takes the place of two atoms and bonds to the four around them.
            const int j = sheet.neighbors[static_cast<std::size_t>(i)][0];
            std::vector<int> around = sheet.neighbors[static_cast<std::size_t>(j)];
            std::erase(around, i);
            const Point middle = 0.5 * (sheet.position[static_cast<std::size_t>(i)] +
                                        sheet.position[static_cast<std::size_t>(j)]);
            sheet.remove(j);
            for (const int neighbor : around) sheet.bond(i, neighbor);
            sheet.position[static_cast<std::size_t>(i)] = middle;
        }
        sheet.atomic_number[static_cast<std::size_t>(i)] = 14;
    }
    for (int k = count_of(o.silicon_clusters, area, random); k > 0; --k) {
        const int i = random_atom(0);
        if (i < 0) break;
        const auto around = sheet.neighbors[static_cast<std::size_t>(i)];
        sheet.atomic_number[static_cast<std::size_t>(i)] = 14;
        sheet.atomic_number[static_cast<std::size_t>(around[0])] = 14;
        if (random.uniform() < 0.5) sheet.atomic_number[static_cast<std::size_t>(around[1])] = 14;
    }
    // Atoms with a single bond do not stay at an edge.
    for (bool removed = true; removed;) {
        removed = false;
        for (int i = 0; i < sheet.size(); ++i)
            if (sheet.alive[static_cast<std::size_t>(i)] &&
                sheet.neighbors[static_cast<std::size_t>(i)].size() < 2) {
                sheet.remove(i);
                removed = true;
            }
    }
    if (o.silicon_edge_share > 0)
        for (int i = 0; i < sheet.size(); ++i) {
            const auto s = static_cast<std::size_t>(i);
            if (sheet.alive[s] && sheet.neighbors[s].size() == 2 && inside(sheet.position[s], 0) &&
                random.uniform() < o.silicon_edge_share)
                sheet.atomic_number[s] = 14;
        }
    // What is not wanted draws no random numbers: scenes without it stay the same.
    if (o.chromium_substitutions > 0)
        for (int k = count_of(o.chromium_substitutions, area, random); k > 0; --k)
            if (const int i = random_atom(0); i >= 0) sheet.atomic_number[static_cast<std::size_t>(i)] = 24;
    sheet.relax(120);

    // Long-wave strain and the random displacement of each atom.
    struct Wave {
        Point k, amplitude;
        double phase;
    };
    std::array<Wave, 4> waves;
    for (Wave& wave : waves) {
        const double length = random.uniform(0.5, 2) * std::max(o.width_angstrom, o.height_angstrom);
        const double angle = random.uniform(0, 2 * pi);
        wave.k = 2 * pi / length * Point(std::cos(angle), std::sin(angle));
        wave.amplitude = 0.5 * o.strain * length / (2 * pi) * Point(random.normal(), random.normal());
        wave.phase = random.uniform(0, 2 * pi);
    }
    std::vector<SceneAtom> atoms;
    for (int i = 0; i < sheet.size(); ++i) {
        const auto s = static_cast<std::size_t>(i);
        if (!sheet.alive[s]) continue;
        Point p = sheet.position[s] + o.displacement_angstrom * Point(random.normal(), random.normal());
        for (const Wave& wave : waves)
            p += wave.amplitude * std::sin(wave.k.dot(sheet.position[s]) + wave.phase);
        if (inside(p, -o.margin_angstrom)) atoms.push_back({p.x(), p.y(), sheet.atomic_number[s]});
    }
    for (int k = count_of(o.silicon_adatoms, area, random); k > 0; --k) {
        const int i = random_atom(0);
        if (i < 0) break;
        const int j = sheet.neighbors[static_cast<std::size_t>(i)][0];
        const Point p =
            0.5 * (sheet.position[static_cast<std::size_t>(i)] + sheet.position[static_cast<std::size_t>(j)]);
        atoms.push_back({p.x(), p.y(), 14});
    }
    const auto on_bond = [&](int z) {
        const int i = random_atom(0);
        if (i < 0) return;
        const Point p =
            0.5 * (sheet.position[static_cast<std::size_t>(i)] +
                   sheet.position[static_cast<std::size_t>(sheet.neighbors[static_cast<std::size_t>(i)][0])]);
        atoms.push_back({p.x(), p.y(), z});
    };
    if (o.carbon_adatoms > 0)
        for (int k = count_of(o.carbon_adatoms, area, random); k > 0; --k) on_bond(6);
    if (o.chromium_adatoms > 0)
        for (int k = count_of(o.chromium_adatoms, area, random); k > 0; --k) {
            const Point p =
                centres[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(centres.size())))];
            if (inside(p, 0)) atoms.push_back({p.x(), p.y(), 24});
        }
    return atoms;
}

}  // namespace stembridge::ml

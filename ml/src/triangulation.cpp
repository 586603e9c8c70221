// SPDX-License-Identifier: Apache-2.0
#include "triangulation.hpp"

#include <algorithm>
#include <stdexcept>

namespace stembridge::ml {

// Insertion along x; triangles whose circumcircle lies wholly to the left of the sweep are finished.
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

void flip(Sides::const_iterator chosen, std::vector<Triangle>& triangles, Sides& edges) {
    const auto [first, second] = chosen->first;
    const auto [one, other] = chosen->second;
    const auto opposite = [&, a = first, b = second](int t) {
        for (const int corner : triangles[static_cast<std::size_t>(t)])
            if (corner != a && corner != b) return corner;
        throw std::logic_error("flip: a triangle without a third corner");
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

}  // namespace stembridge::ml

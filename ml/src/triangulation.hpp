// SPDX-License-Identifier: Apache-2.0
// Triangles between points of the plane. Where the points are the ring centres of a sheet, the triangles are
// its atoms and the edges between two triangles its bonds.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace stembridge::ml {

using Point = Eigen::Vector2d;
using Triangle = std::array<int, 3>;  ///< its corners, numbers of points

/// Delaunay triangulation. @param points are sorted by x
/// @source Bowyer, Comput. J. 24, 162 (1981); Watson, ibid. 167
std::vector<Triangle> delaunay(std::vector<Point>& points);

/// Triangles on the two sides of each edge, the lower number first; the second is -1 on the rim.
using Sides = std::map<std::pair<int, int>, std::array<int, 2>>;
Sides sides(const std::vector<Triangle>& triangles);

/// Turns an edge inside a triangulation: it joins the two corners opposite to it instead.
void flip(Sides::const_iterator chosen, std::vector<Triangle>& triangles, Sides& edges);

}  // namespace stembridge::ml

// SPDX-License-Identifier: Apache-2.0
// Layers over structures and micrographs: coloured sites, what was left out, crops that were not chosen.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "stembridge/io/plot.hpp"
#include "svg.hpp"

namespace stembridge::io {

/// Discs coloured by their values, with labels. @param radius pixels @param to_px from bohr to pixels
void draw_marks(std::string& out, const std::vector<SiteMark>& marks, double radius,
                const std::function<Eigen::Vector2d(const Eigen::Vector3d&)>& to_px);

/// The scale of the marks' colours. @param top upper end, pixels @return its height, 0 without values
double draw_color_bar(std::string& out, const std::vector<SiteMark>& marks, const std::string& label,
                      double top, double width);

/// Shades the pixels of a frame where `trusted` is 0. @param window columns and rows that are shown
/// @param scale pixels of the figure per pixel of the frame
void draw_shade(std::string& out, const Pixels& trusted, const std::array<int, 4>& window, double scale);

/// Crosses. @param radius pixels of the figure
void draw_left_out(std::string& out, const std::vector<Eigen::Vector2d>& places, double radius,
                   const std::function<Eigen::Vector2d(double, double)>& to_px);

/// Thin outlines with their numbers, counted from 1.
void draw_other_outlines(std::string& out, const std::vector<std::vector<Eigen::Vector2d>>& outlines,
                         double font_size, const std::function<Eigen::Vector2d(double, double)>& to_px);

/// What these layers of a micrograph are.
std::vector<LegendItem> layer_legend(const MicrographView& view);

}  // namespace stembridge::io

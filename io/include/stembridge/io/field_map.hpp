// SPDX-License-Identifier: Apache-2.0
// A quantity over a plane as a figure: areas and discs in colours, a micrograph under them.
#pragma once

#include "stembridge/io/plot.hpp"

namespace stembridge::io {

/// Colours of values.
enum class ColorMap {
    diverging,  ///< blue - grey - red, for quantities with a sign
    heights     ///< dark violet - green - yellow
};

/// A polygon filled with the colour of its value, or with a class of the theme.
struct ColoredArea {
    Eigen::Matrix2Xd corners;  ///< (2, n), plane of the map
    double value = 0;
    std::string css = {};  ///< in place of the colour of the value
};

/// A disc filled with the colour of its value, or a ring of a fixed colour.
struct ColoredDisc {
    Eigen::Vector2d at;  ///< plane of the map
    double radius = 1;   ///< units of the plane
    double value = 0;
    std::string outline = {};  ///< colour of the ring, in place of a filled disc
};

/// A quantity over a plane, with a micrograph under it where there is one. The plane is measured in pixels of
/// the micrograph or in angstrom.
struct FieldMap {
    std::string name;
    std::string caption;
    std::string label;         ///< of the colour bar, with its unit; empty = no bar
    double low = 0, high = 1;  ///< ends of the colours; values beyond take the colour of the end
    ColorMap colors = ColorMap::diverging;
    std::array<double, 4> window = {0, 1, 0, 1};  ///< x low, x high, y low, y high
    bool y_down = true;
    double units_per_angstrom = 0;               ///< for the scale bar; 0 = none is drawn
    std::optional<Image> ground = std::nullopt;  ///< needs a plane of pixels and y_down
    double ground_opacity = 0.5;
    std::vector<ColoredArea> areas = {};
    double opacity = 1;  ///< of the areas
    std::vector<std::pair<Eigen::Vector2d, Eigen::Vector2d>> lines = {};
    std::string line_color = "#5a646e";
    double line_width = 0.7;
    std::vector<ColoredDisc> discs = {};
    std::vector<std::pair<std::string, std::string>> keys = {};  ///< class or #colour, and label, of a legend
    double width = figure_width;
};

/// @throw InputError when the window or the range of the colours is empty
Figure draw(const FieldMap& map);

}  // namespace stembridge::io

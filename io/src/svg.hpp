// SPDX-License-Identifier: Apache-2.0
// What every figure is put together from: numbers and text for SVG, colours, legends, scale bars.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stembridge::io {

/// Decimal number without trailing zeros, at most two decimals.
std::string svg_number(double value);

/// Rough width of a text in pixels: wide enough for any common sans-serif font.
double text_width(std::string_view text, double font_size = 12);

/// Tick label with so many decimals; a true minus sign, thin spaces between thousands.
std::string number_label(double value, int decimals);

/// "5 Å" below a nanometre, "2 nm" from there.
std::string length_label(double angstrom);

/// Opening tag of a figure with its caption as title.
std::string svg_open(double width, double height, const std::string& caption);

/// One entry of a legend.
struct LegendItem {
    enum class Kind { line, dashed, area, disc, pinned, arrow, cloud, hollow, diamond };
    Kind kind = Kind::line;
    std::string css;  ///< class that gives the colour
    std::string label;
    double radius = 5;  ///< of a disc
};

/// Legend in rows, left to right, appended to `out`. @param x left end @param y middle of the first row
/// @return height of all rows
double draw_legend(std::string& out, const std::vector<LegendItem>& items, double x, double y, double width);

/// Width of a legend that stands in one row.
double legend_width(const std::vector<LegendItem>& items);

/// Classes of the theme.
std::string element_class(int atomic_number);
std::string ring_class(int size);

/// Colour over a micrograph: the same on any ground.
std::string overlay_color(int atomic_number);

}  // namespace stembridge::io

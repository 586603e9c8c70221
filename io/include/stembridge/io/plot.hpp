// SPDX-License-Identifier: Apache-2.0
// Figures as SVG text: curves, histograms, bars, structures with rings, micrographs with the atoms drawn over
// them.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stembridge/io/image_file.hpp"
#include "stembridge/structure/detection.hpp"
#include "stembridge/structure/image.hpp"
#include "stembridge/structure/structure.hpp"
#include "stembridge/structure/topology.hpp"

namespace stembridge::io {

/// Natural width of a figure, CSS pixels: as wide as a phone leaves for it with text of 12 px still at 10.
inline constexpr double figure_width = 420;

/// A drawn figure: one <svg> element that takes its colours from figure_css().
struct Figure {
    std::string name;     ///< file stem, also the prefix of every id inside, e.g. "relaxation"
    std::string caption;  ///< what it shows, read out by screen readers
    std::string svg;      ///< the element, without XML declaration and style
    double width = 0;     ///< natural size, CSS pixels
    double height = 0;
};

/// Style rules of all figures. @param dark for dark grounds
std::string figure_css(bool dark = false);

/// The figure as a file of its own: XML declaration, style and a light ground included.
std::string standalone_svg(const Figure& figure);

/// Text made safe for SVG and HTML: markup escaped, control characters dropped, invalid UTF-8 replaced.
std::string escape_markup(std::string_view text);

/// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], at most
/// about `wanted` of them.
std::vector<double> nice_ticks(double low, double high, int wanted = 5);

/// Points of a long curve that draw the same picture: first, lowest, highest and last of each of `buckets`
/// stretches of equal length in x order. Short curves come back whole. @return indices into y, ascending
std::vector<std::size_t> decimate(const std::vector<double>& y, std::size_t buckets);

/// The largest 1, 2 or 5 times a power of ten that is at most `longest`.
double nice_length(double longest);

/// Scale of an axis.
enum class Scale { linear, logarithmic };

/// One axis of a plot.
struct Axis {
    std::string label;  ///< with its unit: "time / fs"
    Scale scale = Scale::linear;
    std::optional<double> low = std::nullopt;  ///< left out = from the data
    std::optional<double> high = std::nullopt;
    std::vector<std::pair<double, std::string>> ticks = {};  ///< in place of round numbers; linear only
    bool counts = false;  ///< whole numbers: no ticks between them; linear only
};

/// One curve; points that are not finite (or not positive on a logarithmic axis) leave a gap.
struct Curve {
    std::string label;
    std::vector<double> x;
    std::vector<double> y;
    int color = 0;       ///< place in the palette, 0..5
    bool faint = false;  ///< thin and pale, behind a curve that matters more
};

/// A dashed horizontal line, e.g. the tolerance or the target temperature.
struct Level {
    std::string label;
    double y = 0;
};

/// Curves on one y axis.
struct Panel {
    Axis y;
    std::vector<Curve> curves;
    std::vector<Level> levels;
};

/// Panels over each other that share the x axis.
struct CurvePlot {
    std::string name;
    std::string caption;
    Axis x;
    std::vector<Panel> panels;
    double width = figure_width;
    double panel_height = 190;
};

/// @throw InputError when x and y of a curve differ in length
Figure draw(const CurvePlot& plot);

/// Energy along a path between two states: the curve, a bar at each image, the highest image as the barrier.
struct EnergyPath {
    std::string name;
    std::string caption;
    std::vector<double> length;                    ///< of the path up to each image, bohr
    std::vector<double> energy;                    ///< of each image, hartree; the first is drawn as zero
    std::function<double(double)> energy_between;  ///< hartree, from the length of the path, bohr
    double width = figure_width;
};

/// @throw InputError without images, or with numbers of lengths and energies that differ
Figure draw(const EnergyPath& path);

/// Values whose distribution is drawn.
struct Sample {
    std::string label;
    std::vector<double> values;
    int color = 0;
};

/// Shares of each sample per bin (per cent), drawn over each other.
struct Histogram {
    std::string name;
    std::string caption;
    Axis x;
    std::string counted;  ///< what the shares are of: "bonds"
    std::vector<Sample> samples;
    int bins = 60;
    double width = figure_width;
    double height = 260;
};

/// One curve of steps per sample.
Figure draw(const Histogram& plot);

/// One bar of a chart.
struct Bar {
    std::string label;
    double value = 0;
    std::string text;   ///< beside the bar: "12.4 s"
    bool pale = false;  ///< a value from elsewhere
};

/// Horizontal bars, the label of each above it.
struct BarChart {
    std::string name;
    std::string caption;
    std::string axis;  ///< label of the value axis: "wall time / s"
    std::vector<Bar> bars;
    Scale scale = Scale::linear;  ///< logarithmic: from the power of ten below the smallest positive value
    double width = figure_width;
};

/// Horizontal bars below each other, labels on the left.
Figure draw(const BarChart& plot);

/// A place on a structure with a value that colours it; without one it is drawn hollow.
struct SiteMark {
    Eigen::Vector3d position;  ///< bohr
    std::optional<double> value = std::nullopt;
    std::string label = {};  ///< beside the mark: its number
};

/// A structure seen from above (x to the right, y down as in a frame) and from the side (x, z).
struct StructureView {
    std::string name;
    std::string caption;
    Structure structure;
    std::vector<Bond> bonds;
    std::vector<Ring> rings;                  ///< filled by size
    Eigen::Matrix3Xd displacements;           ///< (3, n) or empty, bohr: arrows that start at the atoms
    double displacement_scale = 1;            ///< arrows are drawn this many times too long
    std::vector<Eigen::Matrix3Xd> snapshots;  ///< (3, n) each, bohr: where the atoms were, as a cloud of dots
    /// In place of `structure` in the view from the side, with its bonds: where displacements end.
    std::optional<Structure> side_structure = std::nullopt;
    std::vector<Bond> side_bonds = {};
    std::vector<SiteMark> marks;  ///< over the atoms, seen from above
    std::string marks_label;      ///< what their values are, with the unit: under the colour bar
    bool top = true;
    bool side = true;
    bool y_down = true;  ///< y runs down, as rows of a frame do
    bool legend = true;  ///< legend and scale bar
    std::optional<std::array<double, 4>> window_angstrom = std::nullopt;  ///< x low, x high, y low, y high
    double width = figure_width;
};

/// @throw InputError when an index of a bond or ring is outside the structure
Figure draw(const StructureView& view);

/// Window (x low, x high, y low, y high, angstrom) that holds the first structure with a margin and of the
/// others what is not far outside of it.
std::array<double, 4> common_window(const std::vector<const Structure*>& structures);

/// How intensities become grey levels: 255 ((I - low) / (high - low))^gamma.
struct Contrast {
    float low = 0;     ///< shown black
    float high = 1;    ///< shown white, larger than low
    double gamma = 1;  ///< below 1 = dark parts brightened
};

/// Black and white at percentiles of the finite pixels; gamma below 1 where a bright part (contamination)
/// would leave the rest of the frame in the dark.
Contrast contrast_of(const Pixels& pixels, double low_percentile = 0.3, double high_percentile = 99.7);

/// Grey levels of the pixels; those that are not finite are black.
Bitmap to_bitmap(const Pixels& pixels, const Contrast& contrast);

/// A frame with stretched contrast and the atoms found drawn over it.
struct MicrographView {
    std::string name;
    std::string caption;
    Image image;
    Detections atoms;
    double pixel_size_angstrom = 0;           ///< for the scale bar; 0 = none is drawn
    std::vector<Eigen::Vector2d> outline_px;  ///< corners (column, row) of the crop; empty = none
    std::vector<std::vector<Eigen::Vector2d>> other_outlines_px;  ///< of crops that were not chosen, numbered
    std::vector<Eigen::Vector2d> left_out_px;  ///< (column, row) of atoms that were left out: crosses
    Pixels trusted;  ///< (height, width) or empty: where it is 0 the frame is shaded as left out
    std::optional<std::array<int, 4>> window_px =
        std::nullopt;                                 ///< x low, x high, y low, y high: part to show
    std::optional<Contrast> contrast = std::nullopt;  ///< left out = contrast_of() the part shown

    int longest_side_px = 1400;  ///< larger frames are averaged down to this
    bool legend = true;
    double width = figure_width;
};

/// Layers carry the classes `layer-atoms` (with `atoms-6`, `atoms-14`, `atoms-0` for the species) and
/// `layer-outline`, so that a page can switch them. @throw InputError for an empty image or window
Figure draw(const MicrographView& view);

/// Corners of the smallest convex shape around points, moved outwards by `margin`: the outline of a crop.
std::vector<Eigen::Vector2d> convex_outline(std::vector<Eigen::Vector2d> points, double margin);

/// Figures beside each other in one, with a title over each: the picture for a README.
Figure side_by_side(const std::string& name, const std::string& caption, const std::vector<Figure>& figures,
                    const std::vector<std::string>& titles, double panel = 300);

}  // namespace stembridge::io

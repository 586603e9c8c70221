// SPDX-License-Identifier: Apache-2.0
#include "scan_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "canvas.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/plot.hpp"

namespace stembridge::app {
namespace {

using Color = Canvas::Color;

constexpr int wanted_width = 720, largest_zoom = 24;
constexpr int footer = 52, margin = 14, bar_height = 6, font_scale = 2;

/// From black over red and orange to nearly white; t from 0 to 1.
Color heat(double t) {
    constexpr std::array<Color, 5> stops = {
        {{10, 6, 18}, {92, 24, 58}, {188, 74, 38}, {244, 172, 66}, {255, 250, 226}}};
    const double x = std::clamp(t, 0.0, 1.0) * (stops.size() - 1);
    const auto k = std::min(static_cast<std::size_t>(x), stops.size() - 2);
    Color color;
    for (std::size_t c = 0; c < 3; ++c)
        color[c] = stops[k][c] + (x - static_cast<double>(k)) * (stops[k + 1][c] - stops[k][c]);
    return color;
}

Color color_of(int atomic_number) {
    switch (atomic_number) {
        case 1:
            return {235, 235, 235};
        case 6:
            return {86, 180, 233};
        case 14:
            return {60, 210, 120};
        default:
            return {224, 120, 220};
    }
}

/// Value between the pixels by straight lines; pixel centres are at whole numbers.
double between(const Eigen::ArrayXXd& values, double row, double column) {
    row = std::clamp(row, 0.0, static_cast<double>(values.rows() - 1));
    column = std::clamp(column, 0.0, static_cast<double>(values.cols() - 1));
    const auto i = std::min(static_cast<Eigen::Index>(row), std::max<Eigen::Index>(values.rows() - 2, 0));
    const auto j = std::min(static_cast<Eigen::Index>(column), std::max<Eigen::Index>(values.cols() - 2, 0));
    const Eigen::Index below = std::min(i + 1, values.rows() - 1), right = std::min(j + 1, values.cols() - 1);
    const double y = row - static_cast<double>(i), x = column - static_cast<double>(j);
    return (1 - y) * ((1 - x) * values(i, j) + x * values(i, right)) +
           y * ((1 - x) * values(below, j) + x * values(below, right));
}

}  // namespace

void write_scan_picture(const std::filesystem::path& path, const ScanPicture& picture) {
    const auto rows = static_cast<int>(picture.values.rows()),
               columns = static_cast<int>(picture.values.cols());
    if (rows == 0 || columns == 0)
        throw InputError(fmt::format("{}: a picture without pixels", path.string()));
    const int zoom = std::clamp((wanted_width + columns - 1) / columns, 1, largest_zoom);
    const double low = picture.values.minCoeff(), high = picture.values.maxCoeff();
    const double range = high > low ? high - low : 1;
    const int width = std::max(zoom * columns, wanted_width), height = zoom * rows;
    Canvas canvas(width, height + footer);
    const auto in_map = [&](double px) { return (px + 0.5) / zoom - 0.5; };
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < zoom * columns; ++x)
            canvas.blend(x, y, heat((between(picture.values, in_map(y), in_map(x)) - low) / range));
    // 0.4 angstrom, but visible
    const double radius = std::max(3.0, 0.4 / picture.pixel_angstrom * zoom);
    for (const auto& atom : picture.atoms)
        if (zoom * (atom.row + 0.5) < height)
            canvas.ring(zoom * (atom.column + 0.5) - 0.5, zoom * (atom.row + 0.5) - 0.5, radius,
                        color_of(atom.atomic_number));
    canvas.fill(0, height, width, footer, Canvas::ground);

    // Scale bar with its length on the left, the title in the middle, the colour scale on the right.
    const double angstrom_per_px = picture.pixel_angstrom / zoom;
    const double length = io::nice_length(0.2 * width * angstrom_per_px);
    const int bar = static_cast<int>(std::lround(length / angstrom_per_px));
    const int text_y = height + (footer - Canvas::text_height(font_scale)) / 2;
    canvas.fill(margin, height + (footer - bar_height) / 2, bar, bar_height, Canvas::white);
    const std::string bar_label = fmt::format("{:g} Å", length);
    canvas.text(margin + bar + 10, text_y, bar_label, font_scale);
    const std::string low_label = fmt::format("{:.3g}", low);
    const std::string high_label =
        fmt::format("{:.3g}{}{}", high, picture.unit.empty() ? "" : " ", picture.unit);
    constexpr int gradient = 110;
    const int right = width - margin - Canvas::text_width(high_label, font_scale);
    canvas.text(right, text_y, high_label, font_scale);
    for (int x = 0; x < gradient; ++x)
        canvas.fill(right - 10 - gradient + x, height + footer / 2 - 8, 1, 16,
                    heat(static_cast<double>(x) / (gradient - 1)));
    const int low_x = right - 20 - gradient - Canvas::text_width(low_label, font_scale);
    canvas.text(low_x, text_y, low_label, font_scale);
    const int left_end = margin + bar + 10 + Canvas::text_width(bar_label, font_scale);
    canvas.text((left_end + low_x - Canvas::text_width(picture.title, font_scale)) / 2, text_y, picture.title,
                font_scale);
    io::write_png8(path, canvas.bitmap());
}

}  // namespace stembridge::app

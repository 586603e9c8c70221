// SPDX-License-Identifier: Apache-2.0
// A quantity over the plane, as coloured areas and discs, with the micrograph under it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "picture.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/field_map.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

using Rgb = std::array<double, 3>;

// Even steps of lightness; the middle of the diverging ones is a light grey on any ground.
const std::vector<Rgb>& anchors(ColorMap map) {
    static const std::vector<Rgb> blue_red = {{33, 72, 150},   {92, 148, 204},  {178, 208, 230},
                                              {242, 242, 240}, {244, 190, 160}, {214, 104, 78},
                                              {150, 28, 44}};
    static const std::vector<Rgb> heights = {{52, 24, 92},   {58, 76, 140},  {38, 128, 142}, {60, 170, 118},
                                             {150, 204, 70}, {236, 224, 60}, {254, 244, 160}};
    return map == ColorMap::diverging ? blue_red : heights;
}

std::string color_of(ColorMap map, double share) {
    const std::vector<Rgb>& colors = anchors(map);
    const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(colors.size() - 1);
    const auto k = std::min(static_cast<std::size_t>(place), colors.size() - 2);
    const double t = place - static_cast<double>(k);
    std::array<int, 3> rgb{};
    for (std::size_t c = 0; c < 3; ++c)
        rgb[c] = static_cast<int>(std::lround((1 - t) * colors[k][c] + t * colors[k + 1][c]));
    return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

// The colour bar under the map: its label, a strip of steps, round numbers below it.
double draw_color_bar(std::string& out, const FieldMap& map, double y) {
    constexpr int steps = 64;
    constexpr double height = 12, left = 22;  // room for half a label
    const double width = 0.62 * map.width, step = width / steps;
    out += fmt::format(R"(<text class="label" x="0" y="{}">{}</text>)", svg_number(y + 8),
                       escape_markup(map.label));
    y += 16;
    for (int k = 0; k < steps; ++k)
        out += fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>)",
                           svg_number(left + k * step), svg_number(y), svg_number(step + 0.4),
                           svg_number(height), color_of(map.colors, (k + 0.5) / steps));
    const std::vector<double> ticks = nice_ticks(map.low, map.high, 5);
    const double spacing = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
    const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(spacing) + 1e-9)));
    for (const double tick : ticks) {
        const double x = left + width * (tick - map.low) / (map.high - map.low);
        out += fmt::format(R"(<path class="axis" d="M{} {}v5"/><text class="middle" x="{}" y="{}">{}</text>)",
                           svg_number(x), svg_number(y + height), svg_number(x), svg_number(y + height + 18),
                           number_label(tick, decimals));
    }
    return height + 42;
}

void check(const FieldMap& map) {
    if (!(map.window[1] > map.window[0]) || !(map.window[3] > map.window[2]))
        throw InputError(fmt::format("figure '{}': its window is empty", map.name));
    const bool colored = !map.areas.empty() || !map.discs.empty();
    if (colored && !map.label.empty() && !(map.high > map.low))
        throw InputError(fmt::format("figure '{}': the range of its colours is empty", map.name));
}

}  // namespace

Figure draw(const FieldMap& map) {
    check(map);
    const double scale = map.width / (map.window[1] - map.window[0]);
    const double height = (map.window[3] - map.window[2]) * scale;
    const auto point = [&](const Eigen::Vector2d& at) {
        return fmt::format("{} {}", svg_number((at[0] - map.window[0]) * scale),
                           svg_number((map.y_down ? at[1] - map.window[2] : map.window[3] - at[1]) * scale));
    };
    const auto share = [&](double value) { return (value - map.low) / (map.high - map.low); };

    std::string body = fmt::format(R"(<svg width="{0}" height="{1}" viewBox="0 0 {0} {1}">)",
                                   svg_number(map.width), svg_number(height));
    if (map.ground) {
        // Pixel (0, 0) is the centre of the first pixel: the picture begins half a pixel before it.
        const double x = (-0.5 - map.window[0]) * scale, y = (-0.5 - map.window[2]) * scale;
        body += fmt::format(
            R"(<image x="{}" y="{}" width="{}" height="{}" opacity="{}" preserveAspectRatio="none" href="{}"/>)",
            svg_number(x), svg_number(y), svg_number(map.ground->width() * scale),
            svg_number(map.ground->height() * scale), svg_number(map.ground_opacity),
            picture_link(map.ground->pixels, contrast_of(map.ground->pixels), 640));
    }
    // A thin line of its own colour closes the seams between neighbouring areas.
    for (const ColoredArea& area : map.areas) {
        std::string path;
        for (Eigen::Index k = 0; k < area.corners.cols(); ++k)
            path += (k == 0 ? "M" : "L") + point(area.corners.col(k));
        const std::string css = area.css.empty() ? fmt::format(R"(fill="{0}" stroke="{0}" stroke-width=".6")",
                                                               color_of(map.colors, share(area.value)))
                                                 : fmt::format(R"(class="{}")", area.css);
        body += fmt::format(R"(<path {} fill-opacity="{}" d="{}Z"/>)", css, svg_number(map.opacity), path);
    }
    if (!map.lines.empty()) {
        std::string path;
        for (const auto& [from, to] : map.lines) path += "M" + point(from) + "L" + point(to);
        body +=
            fmt::format(R"(<path fill="none" stroke="{}" stroke-width="{}" stroke-linecap="round" d="{}"/>)",
                        map.line_color, svg_number(map.line_width), path);
    }
    for (const ColoredDisc& disc : map.discs) {
        const std::string at = point(disc.at);
        const std::size_t gap = at.find(' ');
        body += fmt::format(R"(<circle cx="{}" cy="{}" r="{}" {}/>)", at.substr(0, gap), at.substr(gap + 1),
                            svg_number(disc.radius * scale),
                            disc.outline.empty()
                                ? fmt::format(R"(fill="{}")", color_of(map.colors, share(disc.value)))
                                : fmt::format(R"(fill="none" stroke="{}" stroke-width="1.8")", disc.outline));
    }
    body += "</svg>";
    double bottom = height + 12;
    if (!map.label.empty()) bottom += draw_color_bar(body, map, bottom);
    if (map.units_per_angstrom > 0) {
        const double bar_angstrom =
            nice_length(0.22 * (map.window[1] - map.window[0]) / map.units_per_angstrom);
        const double bar_px = bar_angstrom * map.units_per_angstrom * scale;
        bottom += 6;
        body += fmt::format(R"(<path class="scale" d="M2 {}h{}"/><text class="key" x="{}" y="{}">{}</text>)",
                            svg_number(bottom), svg_number(bar_px), svg_number(bar_px + 10),
                            svg_number(bottom + 4), length_label(bar_angstrom));
        bottom += 20;
    }
    if (!map.keys.empty()) {
        std::vector<LegendItem> items;
        for (const auto& [css, label] : map.keys)
            items.push_back(
                {css.starts_with("#") ? LegendItem::Kind::hollow : LegendItem::Kind::area, css, label});
        bottom += draw_legend(body, items, 0, bottom, map.width) - 1;
    }
    return {map.name, map.caption, svg_open(map.width, bottom, map.caption) + body + "</svg>", map.width,
            bottom};
}

}  // namespace stembridge::io

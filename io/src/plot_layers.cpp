// SPDX-License-Identifier: Apache-2.0
#include "plot_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace stembridge::io {
namespace {

/// From dark violet through red to yellow: readable in grey and for the colour-blind.
/// @source the colour map "plasma" of Smith, van der Walt (CC0), five of its colours
std::string color_of(double share) {
    constexpr std::array<std::array<double, 3>, 5> stops = {
        {{13, 8, 135}, {126, 3, 168}, {204, 71, 120}, {248, 149, 64}, {240, 249, 33}}};
    const double place = std::clamp(share, 0.0, 1.0) * (stops.size() - 1);
    const auto k = std::min(static_cast<std::size_t>(place), stops.size() - 2);
    const double t = place - static_cast<double>(k);
    const auto mixed = [&](std::size_t channel) {
        return static_cast<int>(std::lround((1 - t) * stops[k][channel] + t * stops[k + 1][channel]));
    };
    return fmt::format("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2));
}

struct Range {
    double low = 0, high = 0;
    bool any = false;
    double share(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

Range range_of(const std::vector<SiteMark>& marks) {
    Range range;
    for (const SiteMark& mark : marks) {
        if (!mark.value || !std::isfinite(*mark.value)) continue;
        range.low = range.any ? std::min(range.low, *mark.value) : *mark.value;
        range.high = range.any ? std::max(range.high, *mark.value) : *mark.value;
        range.any = true;
    }
    return range;
}

}  // namespace

void draw_marks(std::string& out, const std::vector<SiteMark>& marks, double radius,
                const std::function<Eigen::Vector2d(const Eigen::Vector3d&)>& to_px) {
    if (marks.empty()) return;
    const Range range = range_of(marks);
    const double font_size = std::clamp(1.15 * radius, 8.5, 12.0);
    out += R"(<g class="layer-sites">)";
    for (const SiteMark& mark : marks) {
        const Eigen::Vector2d at = to_px(mark.position);
        const bool known = mark.value && std::isfinite(*mark.value);
        const double share = known ? range.share(*mark.value) : 1;
        out += fmt::format(R"(<circle cx="{}" cy="{}" r="{}" fill="{}" stroke="{}" stroke-width="1.4"{}/>)",
                           svg_number(at[0]), svg_number(at[1]), svg_number(radius),
                           known ? color_of(share) : "#fff", known ? "#fff" : "#555",
                           known ? "" : R"( stroke-dasharray="2.5 2")");
        if (!mark.label.empty())
            out += fmt::format(
                R"(<text x="{}" y="{}" style="font-size:{}px;font-weight:600;text-anchor:middle;fill:{}">{}</text>)",
                svg_number(at[0]), svg_number(at[1] + 0.36 * font_size), svg_number(font_size),
                share > 0.62 ? "#222" : "#fff", escape_markup(mark.label));
    }
    out += "</g>";
}

double draw_color_bar(std::string& out, const std::vector<SiteMark>& marks, const std::string& label,
                      double top, double width) {
    const Range range = range_of(marks);
    if (!range.any) return 0;
    constexpr int pieces = 48;
    constexpr double height = 11;
    const double length = std::min(280.0, 0.62 * width);
    const double y = top + 12;
    for (int k = 0; k < pieces; ++k)
        out += fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>)",
                           svg_number(length * k / pieces), svg_number(y), svg_number(length / pieces + 0.6),
                           svg_number(height), color_of((k + 0.5) / pieces));
    const auto text = [&](double x, double value, const char* anchor) {
        out += fmt::format(R"(<text x="{}" y="{}" style="text-anchor:{}">{}</text>)", svg_number(x),
                           svg_number(y + height + 15), anchor, number_label(value, 2));
    };
    text(0, range.low, "start");
    if (range.high > range.low) text(length, range.high, "end");
    out += fmt::format(R"(<text class="key" x="0" y="{}">{}</text>)", svg_number(y + height + 33),
                       escape_markup(label));
    return height + 12 + 42;
}

void draw_shade(std::string& out, const Pixels& trusted, const std::array<int, 4>& window, double scale) {
    if (trusted.size() == 0) return;
    const int columns = window[1] - window[0], rows = window[3] - window[2];
    // Blocks of about three pixels of the figure, joined along the rows.
    const int block = std::max(1, static_cast<int>(std::lround(3 / scale)));
    std::string path;
    for (int y = 0; y < rows; y += block) {
        const int tall = std::min(block, rows - y);
        int start = -1;
        for (int x = 0; x <= columns; x += block) {
            const int wide = std::min(block, columns - x);
            const bool out_of_trust =
                wide > 0 && trusted.block(window[2] + y, window[0] + x, tall, wide).mean() < 0.5F;
            if (out_of_trust && start < 0) start = x;
            const bool ends = start >= 0 && (!out_of_trust || x + block > columns);
            if (!ends) continue;
            const int end = out_of_trust ? columns : x;
            path += fmt::format("M{} {}h{}v{}h-{}z", svg_number(start * scale), svg_number(y * scale),
                                svg_number((end - start) * scale), svg_number(tall * scale),
                                svg_number((end - start) * scale));
            start = -1;
        }
    }
    if (!path.empty())
        out += fmt::format(R"(<path class="layer-shade" fill="#c2410c" fill-opacity=".38" d="{}"/>)", path);
}

void draw_left_out(std::string& out, const std::vector<Eigen::Vector2d>& places, double radius,
                   const std::function<Eigen::Vector2d(double, double)>& to_px) {
    std::string path;
    const double r = std::max(1.8, 0.8 * radius);
    for (const Eigen::Vector2d& place : places) {
        const Eigen::Vector2d at = to_px(place[0], place[1]);
        path += fmt::format("M{} {}l{d} {d}m-{d} 0l{d} -{d}", svg_number(at[0] - r), svg_number(at[1] - r),
                            fmt::arg("d", svg_number(2 * r)));
    }
    if (!path.empty())
        out += fmt::format(
            R"(<path class="layer-left-out" fill="none" stroke="#ff5a36" stroke-width="1.5" d="{}"/>)", path);
}

void draw_other_outlines(std::string& out, const std::vector<std::vector<Eigen::Vector2d>>& outlines,
                         double font_size, const std::function<Eigen::Vector2d(double, double)>& to_px) {
    for (std::size_t k = 0; k < outlines.size(); ++k) {
        if (outlines[k].empty()) continue;
        std::string path;
        Eigen::Vector2d middle = Eigen::Vector2d::Zero();
        for (const Eigen::Vector2d& corner : outlines[k]) {
            const Eigen::Vector2d at = to_px(corner[0], corner[1]);
            middle += at / static_cast<double>(outlines[k].size());
            path += fmt::format("{}{} {}", path.empty() ? 'M' : 'L', svg_number(at[0]), svg_number(at[1]));
        }
        out += fmt::format(
            R"(<g class="layer-patches"><path fill="none" stroke="#7dd3fc" stroke-width="1.6" vector-effect="non-scaling-stroke" d="{}Z"/><text x="{}" y="{}" style="font-size:{}px;font-weight:700;text-anchor:middle;fill:#7dd3fc;stroke:#000;stroke-width:2.5;stroke-opacity:.6;paint-order:stroke">{}</text></g>)",
            path, svg_number(middle[0]), svg_number(middle[1] + 0.36 * font_size), svg_number(font_size),
            k + 1);
    }
}

std::vector<LegendItem> layer_legend(const MicrographView& view) {
    std::vector<LegendItem> items;
    if (!view.other_outlines_px.empty())
        items.push_back({LegendItem::Kind::hollow, "#0284c7", "other patches"});
    if (!view.left_out_px.empty())
        items.push_back({LegendItem::Kind::diamond, "#ff5a36", "atoms left out (crosses)"});
    if (view.trusted.size() != 0 && view.trusted.minCoeff() < 0.5F)
        items.push_back({LegendItem::Kind::hollow, "#c2410c", "contamination (shaded): vacuum"});
    return items;
}

}  // namespace stembridge::io

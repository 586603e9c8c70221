// SPDX-License-Identifier: Apache-2.0
// A frame with the atoms found drawn over it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "picture.hpp"
#include "plot_layers.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/plot.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

// Radius of the circles in pixels of the frame; small ones where the circles would cover the frame.
double circle_radius(const MicrographView& view, double scale) {
    if (view.pixel_size_angstrom > 0)
        return (scale / view.pixel_size_angstrom < 11 ? 0.36 : 0.48) / view.pixel_size_angstrom;
    const double area = static_cast<double>(view.image.pixels.size());
    return 0.3 * std::sqrt(area / static_cast<double>(std::max<std::size_t>(view.atoms.size(), 1)));
}

constexpr double rimmed_radius = 4.5;  // pixels of the figure

std::string species(int atomic_number) {
    return atomic_number == 0 ? "unknown" : element_symbol(atomic_number);
}

}  // namespace

std::vector<Eigen::Vector2d> convex_outline(std::vector<Eigen::Vector2d> points, double margin) {
    std::sort(points.begin(), points.end(),
              [](const auto& a, const auto& b) { return std::pair(a[0], a[1]) < std::pair(b[0], b[1]); });
    points.erase(std::unique(points.begin(), points.end()), points.end());
    if (points.size() < 3) return {};
    // Lower and upper half of the hull, each turning left only.
    std::vector<Eigen::Vector2d> hull;
    const auto walk = [&hull](auto begin, auto end) {
        const std::size_t start = hull.size();
        for (auto p = begin; p != end; ++p) {
            while (hull.size() >= start + 2) {
                const Eigen::Vector2d u = hull.back() - hull[hull.size() - 2];
                const Eigen::Vector2d v = *p - hull.back();
                if (u[0] * v[1] - u[1] * v[0] > 0) break;
                hull.pop_back();
            }
            hull.push_back(*p);
        }
        hull.pop_back();
    };
    walk(points.begin(), points.end());
    walk(points.rbegin(), points.rend());
    if (hull.size() < 3) return {};
    Eigen::Vector2d middle = Eigen::Vector2d::Zero();
    for (const Eigen::Vector2d& corner : hull) middle += corner / static_cast<double>(hull.size());
    for (Eigen::Vector2d& corner : hull) corner += margin * (corner - middle).normalized();
    return hull;
}

Contrast contrast_of(const Pixels& pixels, double low_percentile, double high_percentile) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(pixels.size()));
    for (Eigen::Index k = 0; k < pixels.size(); ++k)
        if (std::isfinite(pixels.data()[k])) values.push_back(pixels.data()[k]);
    if (values.empty()) return {};
    const auto percentile = [&](double p) {
        const double place = std::clamp(p / 100, 0.0, 1.0) * static_cast<double>(values.size() - 1);
        const auto at = values.begin() + std::lround(place);
        std::nth_element(values.begin(), at, values.end());
        return *at;
    };
    Contrast contrast;
    contrast.low = percentile(low_percentile);
    contrast.high = percentile(high_percentile);
    if (!(contrast.high > contrast.low)) {
        contrast.high = contrast.low + 1;
        return contrast;
    }
    // The lower half of the pixels gets the lower 30 % of the grey levels, not less.
    const double middle = (percentile(50) - contrast.low) / (contrast.high - contrast.low);
    if (middle > 0 && middle < 0.3) contrast.gamma = std::max(0.45, std::log(0.3) / std::log(middle));
    return contrast;
}

Bitmap to_bitmap(const Pixels& pixels, const Contrast& contrast) {
    const Pixels finite = pixels.isFinite().select(pixels, contrast.low);
    const Pixels share = ((finite - contrast.low) / (contrast.high - contrast.low)).max(0.0F).min(1.0F);
    return to_bitmap(share.pow(static_cast<float>(contrast.gamma)), 0.0F, 1.0F);
}

Figure draw(const MicrographView& view) {
    const int frame_width = view.image.width();
    const int frame_height = view.image.height();
    const std::array<int, 4> asked =
        view.window_px.value_or(std::array<int, 4>{0, frame_width, 0, frame_height});
    const std::array<int, 4> window = {std::max(asked[0], 0), std::min(asked[1], frame_width),
                                       std::max(asked[2], 0), std::min(asked[3], frame_height)};
    const int columns = window[1] - window[0];
    const int rows = window[3] - window[2];
    if (columns < 1 || rows < 1)
        throw InputError(
            fmt::format("figure '{}': columns {}..{} and rows {}..{} hold no part of the frame of {} x {} "
                        "pixels",
                        view.name, asked[0], asked[1], asked[2], asked[3], frame_width, frame_height));

    const Pixels part = view.image.pixels.block(window[2], window[0], rows, columns);
    const Contrast contrast = view.contrast ? *view.contrast : contrast_of(part);

    const double scale = view.width / columns;
    const double height = rows * scale;
    std::string body = fmt::format(R"(<svg class="zoom" width="{0}" height="{1}" viewBox="0 0 {0} {1}">)",
                                   svg_number(view.width), svg_number(height));
    body += fmt::format(R"(<image width="{}" height="{}" preserveAspectRatio="none" href="{}"/>)",
                        svg_number(view.width), svg_number(height),
                        picture_link(part, contrast, view.longest_side_px));

    // Pixel (0, 0) is the centre of the first pixel: its left edge is at -0.5.
    const auto to_px = [&](double column, double row) {
        return Eigen::Vector2d((column + 0.5 - window[0]) * scale, (row + 0.5 - window[2]) * scale);
    };
    if (view.trusted.size() != 0 &&
        (view.trusted.rows() != frame_height || view.trusted.cols() != frame_width))
        throw InputError(
            fmt::format("figure '{}': the mask of what is trusted has {} x {} pixels, the frame "
                        "{} x {}",
                        view.name, view.trusted.cols(), view.trusted.rows(), frame_width, frame_height));
    draw_shade(body, view.trusted, window, scale);
    std::map<int, std::pair<std::string, int>> species_found;  // circles, count
    const double radius = std::max(1.5, circle_radius(view, scale) * scale);
    for (const Detection& atom : view.atoms) {
        const Eigen::Vector2d at = to_px(atom.x_px, atom.y_px);
        if (at[0] < 0 || at[1] < 0 || at[0] > view.width || at[1] > height) continue;
        auto& [marks, count] = species_found[atom.atomic_number];
        const double r = atom.atomic_number == 6 ? radius : 1.35 * radius;
        if (atom.atomic_number == 0)
            marks += fmt::format(R"(<path d="M{} {}l{r} {r}l-{r} {r}l-{r} -{r}z"/>)", svg_number(at[0]),
                                 svg_number(at[1] - r), fmt::arg("r", svg_number(r)));
        else
            marks += fmt::format(R"(<circle cx="{}" cy="{}" r="{}"/>)", svg_number(at[0]), svg_number(at[1]),
                                 svg_number(r));
        ++count;
    }
    body += R"(<g class="layer-atoms" fill="none">)";
    const double thickness = std::clamp(0.28 * radius, 0.8, 2.4);
    for (const auto& [atomic_number, found] : species_found) {
        const double width = atomic_number == 6 ? thickness : 1.5 * thickness;
        body += fmt::format(R"(<g class="atoms-{}">)", atomic_number);
        // A dark rim keeps large circles visible over bright atoms.
        if (radius > rimmed_radius)
            body += fmt::format(R"(<g stroke="#000" stroke-opacity=".6" stroke-width="{}">{}</g>)",
                                svg_number(2 * width), found.first);
        body += fmt::format(R"(<g stroke="{}" stroke-width="{}">{}</g></g>)", overlay_color(atomic_number),
                            svg_number(width), found.first);
    }
    body += "</g>";
    draw_left_out(body, view.left_out_px, radius, to_px);
    draw_other_outlines(body, view.other_outlines_px, std::max(11.0, 0.024 * view.width), to_px);
    if (!view.outline_px.empty()) {
        std::string path;
        for (const Eigen::Vector2d& corner : view.outline_px) {
            const Eigen::Vector2d at = to_px(corner[0], corner[1]);
            path += fmt::format("{}{} {}", path.empty() ? 'M' : 'L', svg_number(at[0]), svg_number(at[1]));
        }
        body += fmt::format(
            R"(<g class="layer-outline" fill="none" stroke-linejoin="round"><path stroke="#000" stroke-opacity=".55" stroke-width="4" vector-effect="non-scaling-stroke" d="{0}Z"/><path stroke="#fff" stroke-width="2" stroke-dasharray="7 5" vector-effect="non-scaling-stroke" d="{0}Z"/></g>)",
            path);
    }
    body += "</svg>";

    if (view.pixel_size_angstrom > 0) {
        const double bar_angstrom = nice_length(0.25 * columns * view.pixel_size_angstrom);
        const double bar_px = bar_angstrom / view.pixel_size_angstrom * scale;
        const double font_size = std::max(12.0, 0.026 * view.width);
        const double inset = 0.03 * view.width;
        const std::string label = length_label(bar_angstrom);
        const double plate_width = std::max(bar_px, text_width(label, font_size)) + 20;
        const double plate_height = font_size + 22;
        body += fmt::format(
            R"(<g class="scale-bar" data-length="{}" data-angstrom="{}"><rect x="{}" y="{}" width="{}" height="{}" rx="4" fill="#000" fill-opacity=".62"/><path stroke="#fff" stroke-width="3.5" d="M{} {}h{}"/><text x="{}" y="{}" style="font-size:{}px;fill:#fff;text-anchor:middle;font-weight:600">{}</text></g>)",
            svg_number(bar_px), bar_angstrom, svg_number(inset), svg_number(height - inset - plate_height),
            svg_number(plate_width), svg_number(plate_height), svg_number(inset + (plate_width - bar_px) / 2),
            svg_number(height - inset - 10), svg_number(bar_px), svg_number(inset + plate_width / 2),
            svg_number(height - inset - 18), svg_number(font_size), label);
    }
    double bottom = height;
    if (view.legend && (!species_found.empty() || !view.outline_px.empty() || !layer_legend(view).empty())) {
        std::vector<LegendItem> items;
        items.reserve(species_found.size() + 1);
        for (const auto& [atomic_number, found] : species_found)
            items.push_back({atomic_number == 0 ? LegendItem::Kind::diamond : LegendItem::Kind::hollow,
                             overlay_color(atomic_number),
                             fmt::format("{} ({})", species(atomic_number), found.second),
                             atomic_number == 6 ? 4.5 : 6.0});
        if (!view.outline_px.empty()) items.push_back({LegendItem::Kind::dashed, "level", "cut out"});
        for (const LegendItem& item : layer_legend(view)) items.push_back(item);
        bottom += 18;
        bottom += draw_legend(body, items, 0, bottom, view.width) - 9;
    }
    return {view.name, view.caption, svg_open(view.width, bottom, view.caption) + body + "</svg>", view.width,
            bottom};
}

Figure side_by_side(const std::string& name, const std::string& caption, const std::vector<Figure>& figures,
                    const std::vector<std::string>& titles, double panel) {
    constexpr double gap = 34;
    constexpr double title_height = 26;
    double tallest = 0;
    for (const Figure& figure : figures) tallest = std::max(tallest, figure.height * panel / figure.width);
    const double width = static_cast<double>(figures.size()) * (panel + gap) - gap;
    std::string body;
    for (std::size_t k = 0; k < figures.size(); ++k) {
        const Figure& figure = figures[k];
        const double x = static_cast<double>(k) * (panel + gap);
        // The figure is placed by giving its own opening tag a position and a size.
        const std::size_t inside = figure.svg.find('>') + 1;
        body += fmt::format(R"(<text class="panel-title" x="{}" y="15">{}</text>)", svg_number(x),
                            k < titles.size() ? escape_markup(titles[k]) : "");
        body += fmt::format(R"(<svg x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}">)",
                            svg_number(x), svg_number(title_height), svg_number(panel),
                            svg_number(figure.height * panel / figure.width), svg_number(figure.width),
                            svg_number(figure.height));
        body += figure.svg.substr(inside);
        if (k + 1 < figures.size())
            body += fmt::format(
                R"(<path class="axis" style="shape-rendering:auto;stroke-width:1.6" d="M{} {}h16m-5 -5l5 5l-5 5"/>)",
                svg_number(x + panel + (gap - 16) / 2), svg_number(title_height + panel / 2));
    }
    const double height = title_height + tallest;
    return {name, caption, svg_open(width, height, caption) + body + "</svg>", width, height};
}

}  // namespace stembridge::io

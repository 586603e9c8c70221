// SPDX-License-Identifier: Apache-2.0
// Curves, histograms and bars.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/plot.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

constexpr double header_height = 24;  // label of the y axis and legend, over each panel
constexpr double footer_height = 44;  // tick labels and label of the x axis, under the last panel
constexpr double right_margin = 16;
constexpr std::size_t curve_buckets = 300;

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void include(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    bool empty() const { return low > high; }
};

// A range that can be divided by: something wide around a single value, [0, 1] when there is none.
Range widened(Range range, Scale scale) {
    if (range.empty()) return scale == Scale::linear ? Range{0, 1} : Range{0.1, 1};
    if (scale == Scale::logarithmic)
        return range.high < 1.2 * range.low ? Range{range.low / 2, range.high * 2} : range;
    const double smallest = 1e-9 * std::max(std::abs(range.low), std::abs(range.high));
    if (range.high - range.low > smallest) return range;
    const double half = range.low == 0 ? 1 : 0.05 * std::abs(range.low);
    return {range.low - half, range.high + half};
}

struct Tick {
    double value;
    std::string label;  // empty = minor
};

std::string exponent_label(int exponent) {
    static const char* const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string label = exponent < 0 ? "10⁻" : "10";
    for (const char c : std::to_string(std::abs(exponent))) label += digits[c - '0'];
    return label;
}

// Maps values to pixels and knows its ticks.
class PixelAxis {
  public:
    PixelAxis(Range range, const Axis& axis, double first_px, double last_px, int wanted)
        : PixelAxis(range, axis.scale, first_px, last_px, wanted) {
        if (axis.counts) whole_ticks(wanted);
        if (axis.ticks.empty()) return;
        ticks_.clear();
        for (const auto& [value, label] : axis.ticks)
            if (value >= range.low && value <= range.high) ticks_.push_back({value, escape_markup(label)});
    }
    PixelAxis(Range range, Scale scale, double first_px, double last_px, int wanted)
        : range_(range), scale_(scale), first_px_(first_px), last_px_(last_px) {
        scale == Scale::linear ? linear_ticks(wanted) : logarithmic_ticks();
    }

    double operator()(double value) const {
        const double t = scale_ == Scale::linear
                             ? (value - range_.low) / (range_.high - range_.low)
                             : std::log(value / range_.low) / std::log(range_.high / range_.low);
        return first_px_ + t * (last_px_ - first_px_);
    }
    bool shows(double value) const { return std::isfinite(value) && (scale_ == Scale::linear || value > 0); }
    const std::vector<Tick>& ticks() const { return ticks_; }
    // For the page's script: pixels and values of both ends, and whether they are logarithmic.
    std::string description() const {
        return fmt::format("{} {} {} {} {}", svg_number(first_px_), svg_number(last_px_), range_.low,
                           range_.high, scale_ == Scale::linear ? "linear" : "logarithmic");
    }
    double widest_label() const {
        double width = 0;
        for (const Tick& tick : ticks_) width = std::max(width, text_width(tick.label));
        return width;
    }

  private:
    void linear_ticks(int wanted) {
        const std::vector<double> values = nice_ticks(range_.low, range_.high, wanted);
        const double step = values.size() > 1 ? values[1] - values[0] : range_.high - range_.low;
        const double largest = std::max(std::abs(range_.low), std::abs(range_.high));
        const bool scientific = largest >= 1e6 || step < 1e-4;
        const int power = scientific ? static_cast<int>(std::floor(std::log10(largest))) : 0;
        const double unit = std::pow(10.0, power);
        const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step / unit) + 1e-9)));
        for (const double value : values) {
            std::string label = number_label(value / unit, decimals);
            if (scientific && value != 0) label += "·" + exponent_label(power);
            ticks_.push_back({value, label});
        }
    }

    void whole_ticks(int wanted) {
        const std::vector<double> values = nice_ticks(range_.low, range_.high, wanted);
        const double step = values.size() > 1 ? std::max(1.0, values[1] - values[0]) : 1;
        ticks_.clear();
        for (double k = std::ceil(range_.low / step - 1e-9); k * step <= range_.high + 1e-9 * step; ++k)
            ticks_.push_back({k * step, number_label(k * step, 0)});
    }

    void logarithmic_ticks() {
        const int first = static_cast<int>(std::ceil(std::log10(range_.low) - 1e-9));
        const int last = static_cast<int>(std::floor(std::log10(range_.high) + 1e-9));
        const int stride = std::max(1, (last - first + 8) / 8);
        const bool few_decades = last - first <= 5;
        for (int e = first - 1; e <= last; ++e) {
            const double decade = std::pow(10.0, e);
            for (int digit = 1; digit < 10; ++digit) {
                const double value = digit * decade;
                if (value < range_.low * (1 - 1e-9) || value > range_.high * (1 + 1e-9)) continue;
                if (digit == 1 && (e - first) % stride == 0)
                    ticks_.push_back(
                        {value, e >= -3 && e <= 3 ? number_label(value, -e) : exponent_label(e)});
                else if (digit == 1 || few_decades)
                    ticks_.push_back({value, ""});
            }
        }
    }

    Range range_;
    Scale scale_;
    double first_px_;
    double last_px_;
    std::vector<Tick> ticks_;
};

// Frame of one panel: grid and ticks.
void draw_panel_axes(std::string& out, const PixelAxis& x, const PixelAxis& y, double left, double right,
                     double bottom, bool x_labels) {
    std::string grid;
    for (const Tick& tick : y.ticks()) {
        if (tick.label.empty()) continue;
        const double at = y(tick.value);
        grid += fmt::format("M{} {}H{}", svg_number(left), svg_number(at), svg_number(right));
        out += fmt::format(R"(<text class="tick end" x="{}" y="{}">{}</text>)", svg_number(left - 8),
                           svg_number(at + 4), tick.label);
    }
    std::string marks;
    for (const Tick& tick : y.ticks())
        if (tick.label.empty())
            marks += fmt::format("M{} {}h-3", svg_number(left), svg_number(y(tick.value)));
    for (const Tick& tick : x.ticks()) {
        const double at = x(tick.value);
        marks += fmt::format("M{} {}v{}", svg_number(at), svg_number(bottom), tick.label.empty() ? 3 : 5);
        if (x_labels && !tick.label.empty())
            out += fmt::format(R"(<text class="tick middle" x="{}" y="{}">{}</text>)", svg_number(at),
                               svg_number(bottom + 19), tick.label);
    }
    out += fmt::format(R"(<path class="grid" d="{}"/>)", grid);
    out += fmt::format(R"(<path class="axis" d="M{} {}H{}{}"/>)", svg_number(left), svg_number(bottom),
                       svg_number(right), marks);
}

void draw_x_label(std::string& out, const std::string& label, double left, double right, double bottom) {
    out += fmt::format(R"(<text class="label middle" x="{}" y="{}">{}</text>)",
                       svg_number((left + right) / 2), svg_number(bottom + 38), escape_markup(label));
}

constexpr double legend_gap = 6;  // between the y label and a legend under it

// Legend beside the y label where it fits, else in rows under it. @return height beyond the header
double extra_legend_height(const std::vector<LegendItem>& items, const std::string& y_label, double width) {
    if (items.empty() || text_width(y_label) + 24 + legend_width(items) <= width) return 0;
    std::string unused;
    return draw_legend(unused, items, 0, 0, width) + legend_gap;
}

void draw_panel_legend(std::string& out, const std::vector<LegendItem>& items, double extra, double top,
                       double width) {
    if (extra == 0)
        draw_legend(out, items, width - right_margin - legend_width(items), top - 14,
                    legend_width(items) + 1);
    else
        draw_legend(out, items, 0, top - extra + legend_gap - 2, width);
}

std::string curve_path(const Curve& curve, const PixelAxis& x, const PixelAxis& y) {
    std::string path;
    bool pen_down = false;
    for (const std::size_t k : decimate(curve.y, curve_buckets)) {
        if (!x.shows(curve.x[k]) || !y.shows(curve.y[k])) {
            pen_down = false;
            continue;
        }
        path += fmt::format("{}{} {}", pen_down ? 'L' : 'M', svg_number(x(curve.x[k])),
                            svg_number(y(curve.y[k])));
        // A point with gaps on both sides is still a dot.
        if (!pen_down) path += "h0";
        pen_down = true;
    }
    return path;
}

Range padded(Range range, const Axis& axis, double share) {
    range = widened(range, axis.scale);
    if (axis.scale == Scale::linear) {
        const double pad = share * (range.high - range.low);
        range = {range.low - pad, range.high + pad};
    } else {
        const double factor = std::pow(range.high / range.low, share);
        range = {range.low / factor, range.high * factor};
    }
    range.low = axis.low.value_or(range.low);
    range.high = axis.high.value_or(range.high);
    return widened(range, axis.scale);
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int wanted) {
    if (!(high > low) || !std::isfinite(high - low)) return {low};
    const double raw = (high - low) / std::max(wanted, 1);
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.0, 1.0})
        if (factor * power >= raw * (1 - 1e-9)) step = factor * power;
    std::vector<double> ticks;
    const double first = std::ceil(low / step - 1e-9);
    for (double k = first; k * step <= high + 1e-9 * step; ++k) ticks.push_back(k == 0 ? 0.0 : k * step);
    return ticks;
}

std::vector<std::size_t> decimate(const std::vector<double>& y, std::size_t buckets) {
    std::vector<std::size_t> kept;
    if (y.size() <= 4 * buckets) {
        for (std::size_t k = 0; k < y.size(); ++k) kept.push_back(k);
        return kept;
    }
    for (std::size_t b = 0; b < buckets; ++b) {
        const std::size_t begin = b * y.size() / buckets;
        const std::size_t end = (b + 1) * y.size() / buckets;
        std::size_t lowest = begin;
        std::size_t highest = begin;
        for (std::size_t k = begin; k < end; ++k) {
            if (y[k] < y[lowest] || std::isnan(y[lowest])) lowest = k;
            if (y[k] > y[highest] || std::isnan(y[highest])) highest = k;
        }
        const auto [a, c] = std::minmax(lowest, highest);
        for (const std::size_t k : {begin, a, c, end - 1})
            if (kept.empty() || k > kept.back()) kept.push_back(k);
    }
    return kept;
}

Figure draw(const CurvePlot& plot) {
    Range x_range;
    std::vector<Range> y_ranges(plot.panels.size());
    for (std::size_t p = 0; p < plot.panels.size(); ++p) {
        const Panel& panel = plot.panels[p];
        for (const Curve& curve : panel.curves) {
            if (curve.x.size() != curve.y.size())
                throw InputError(fmt::format("curve '{}' of figure '{}' has {} x values and {} y values",
                                             curve.label, plot.name, curve.x.size(), curve.y.size()));
            for (std::size_t k = 0; k < curve.x.size(); ++k) {
                const bool shown = std::isfinite(curve.x[k]) && std::isfinite(curve.y[k]) &&
                                   (plot.x.scale == Scale::linear || curve.x[k] > 0) &&
                                   (panel.y.scale == Scale::linear || curve.y[k] > 0);
                if (!shown) continue;
                x_range.include(curve.x[k]);
                y_ranges[p].include(curve.y[k]);
            }
        }
        for (const Level& level : panel.levels)
            if (std::isfinite(level.y) && (panel.y.scale == Scale::linear || level.y > 0))
                y_ranges[p].include(level.y);
        y_ranges[p] = padded(y_ranges[p], panel.y, 0.06);
    }
    x_range = padded(x_range, plot.x, 0);

    const double right = plot.width - right_margin;
    double left = 0;
    for (std::size_t p = 0; p < plot.panels.size(); ++p)
        left = std::max(left, 10 + PixelAxis(y_ranges[p], plot.panels[p].y, 0, 1, 5).widest_label());
    left = std::max(left, 30.0);
    const PixelAxis x(x_range, plot.x, left, right, 6);

    std::string body;
    double top = 0;
    for (std::size_t p = 0; p < plot.panels.size(); ++p) {
        const Panel& panel = plot.panels[p];
        std::vector<LegendItem> items;
        if (panel.curves.size() > 1)
            for (const Curve& curve : panel.curves)
                if (!curve.label.empty())
                    items.push_back({LegendItem::Kind::line,
                                     fmt::format("c{}{}", curve.color % 6, curve.faint ? " faint" : ""),
                                     curve.label});
        for (const Level& level : panel.levels)
            items.push_back({LegendItem::Kind::dashed, "level", level.label});
        const double extra = extra_legend_height(items, panel.y.label, plot.width - right_margin);
        top += header_height + extra;
        const double bottom = top + plot.panel_height;
        const PixelAxis y(y_ranges[p], panel.y, bottom, top, 5);

        // The label of the y axis stands over its legend rows.
        draw_panel_axes(body, x, y, left, right, bottom, p + 1 == plot.panels.size());
        body += fmt::format(R"(<text class="label" x="0" y="{}">{}</text>)", svg_number(top - extra - 10),
                            escape_markup(panel.y.label));
        draw_panel_legend(body, items, extra, top, plot.width);
        const std::string clip = fmt::format("{}-panel-{}", plot.name, p);
        body += fmt::format(
            R"svg(<clipPath id="{0}"><rect x="{1}" y="{2}" width="{3}" height="{4}"/></clipPath><g class="panel" clip-path="url(#{0})" data-x="{5}" data-y="{6}">)svg",
            clip, svg_number(left - 1), svg_number(top - 1), svg_number(right - left + 2),
            svg_number(bottom - top + 2), x.description(), y.description());
        for (const Level& level : panel.levels)
            if (y.shows(level.y))
                body += fmt::format(R"(<path class="level" d="M{} {}H{}"/>)", svg_number(left),
                                    svg_number(y(level.y)), svg_number(right));
        bool anything = false;
        for (const Curve& curve : panel.curves) {
            const std::string path = curve_path(curve, x, y);
            anything = anything || !path.empty();
            body +=
                fmt::format(R"(<path class="curve c{}{}" d="{}"><title>{}</title></path>)", curve.color % 6,
                            curve.faint ? " faint" : "", path, escape_markup(curve.label));
        }
        body += "</g>";
        if (!anything)
            body += fmt::format(R"(<text class="middle" x="{}" y="{}">no data</text>)",
                                svg_number((left + right) / 2), svg_number((top + bottom) / 2));
        top = bottom + (p + 1 == plot.panels.size() ? 0 : 14);
    }
    draw_x_label(body, plot.x.label, left, right, top);
    const double height = top + footer_height;
    return {plot.name, plot.caption, svg_open(plot.width, height, plot.caption) + body + "</svg>", plot.width,
            height};
}

Figure draw(const Histogram& plot) {
    Range range;
    for (const Sample& sample : plot.samples)
        for (const double value : sample.values)
            if (std::isfinite(value)) range.include(value);
    range = padded(range, plot.x, 0.04);
    const int bins = std::max(plot.bins, 1);
    const double bin = (range.high - range.low) / bins;

    std::vector<std::vector<double>> shares;
    Range share_range{0, 0};
    for (const Sample& sample : plot.samples) {
        std::vector<double>& share = shares.emplace_back(bins, 0.0);
        double counted = 0;
        for (const double value : sample.values) {
            if (!std::isfinite(value) || value < range.low || value > range.high) continue;
            ++share[static_cast<std::size_t>(
                std::min<double>(bins - 1, std::floor((value - range.low) / bin)))];
            ++counted;
        }
        for (double& s : share) {
            if (counted > 0) s *= 100 / counted;
            share_range.include(s);
        }
    }
    share_range = {0, share_range.high > 0 ? 1.06 * share_range.high : 1};

    std::vector<LegendItem> items;
    for (const Sample& sample : plot.samples)
        items.push_back(
            {LegendItem::Kind::area, fmt::format("area c{0} f{0}", sample.color % 6), sample.label});
    const std::string y_label = fmt::format("share of {} / %", plot.counted);
    const double extra = extra_legend_height(items, y_label, plot.width - right_margin);
    const double top = header_height + extra;
    const double bottom = plot.height - footer_height;
    const double right = plot.width - right_margin;
    const PixelAxis y(share_range, Scale::linear, bottom, top, 5);
    const double left = std::max(30.0, 10 + y.widest_label());
    const PixelAxis x(range, Scale::linear, left, right, 6);

    std::string body;
    draw_panel_axes(body, x, y, left, right, bottom, true);
    body += fmt::format(R"(<text class="label" x="0" y="{}">{}</text>)", svg_number(top - extra - 10),
                        escape_markup(y_label));
    draw_panel_legend(body, items, extra, top, plot.width);
    for (std::size_t s = 0; s < plot.samples.size(); ++s) {
        std::string path;
        double level = 0;
        for (int b = 0; b < bins; ++b) {
            const double share = shares[s][static_cast<std::size_t>(b)];
            if (share == level) continue;
            const std::string at = svg_number(x(range.low + b * bin));
            path += path.empty() ? fmt::format("M{} {}", at, svg_number(bottom)) : fmt::format("H{}", at);
            path += fmt::format("V{}", svg_number(y(share)));
            level = share;
        }
        if (level > 0) path += fmt::format("H{}V{}", svg_number(right), svg_number(bottom));
        body += fmt::format(R"(<path class="area c{0} f{0}" d="{1}"><title>{2}</title></path>)",
                            plot.samples[s].color % 6, path, escape_markup(plot.samples[s].label));
    }
    draw_x_label(body, plot.x.label, left, right, bottom);
    return {plot.name, plot.caption, svg_open(plot.width, plot.height, plot.caption) + body + "</svg>",
            plot.width, plot.height};
}

Figure draw(const EnergyPath& path) {
    if (path.length.empty() || path.length.size() != path.energy.size())
        throw InputError(
            fmt::format("figure '{}' has {} lengths and {} energies; one of each per image is needed",
                        path.name, path.length.size(), path.energy.size()));
    const auto ev = [&](double energy) { return (energy - path.energy.front()) / units::electronvolt; };
    constexpr int points = 400;
    Curve curve{.label = "path", .x = {}, .y = {}, .color = 0};
    for (int p = 0; p <= points; ++p) {
        const double s = path.length.back() * p / points;
        curve.x.push_back(s / units::angstrom);
        curve.y.push_back(ev(path.energy_between(s)));
    }
    CurvePlot plot{
        .name = path.name, .caption = path.caption, .x = {.label = "length of the path / Å"}, .panels = {}};
    plot.width = path.width;
    plot.panel_height = 210;
    Panel panel{{.label = "energy / eV"}, {curve}, {}};
    const double half_width = 0.008 * path.length.back() / units::angstrom;
    for (std::size_t k = 0; k < path.energy.size(); ++k) {
        const double x = path.length[k] / units::angstrom, y = ev(path.energy[k]);
        panel.curves.push_back({k == 0 ? "images" : "", {x - half_width, x + half_width}, {y, y}, 1});
    }
    const double barrier = ev(*std::max_element(path.energy.begin(), path.energy.end()));
    panel.levels.push_back({fmt::format("barrier {:.{}f} eV", barrier, barrier < 0.1 ? 3 : 2), barrier});
    plot.panels.push_back(panel);
    return draw(plot);
}

Figure draw(const BarChart& plot) {
    constexpr double row = 42;  // label, bar, gap
    constexpr double label_height = 17;
    constexpr double thickness = 14;
    constexpr double left = 1;
    double text_space = 0;
    Range range{0, 0};
    double smallest = std::numeric_limits<double>::infinity();
    for (const Bar& bar : plot.bars) {
        text_space = std::max(text_space, 10 + text_width(bar.text));
        if (std::isfinite(bar.value)) range.include(bar.value);
        if (std::isfinite(bar.value) && bar.value > 0) smallest = std::min(smallest, bar.value);
    }
    const bool logarithmic = plot.scale == Scale::logarithmic && range.high > 0;
    range = {logarithmic ? std::pow(10, std::floor(std::log10(smallest) - 1e-9)) : 0,
             range.high > 0 ? range.high : 1};
    const double right = std::max(left + 40, plot.width - right_margin - text_space);
    const double bottom = row * static_cast<double>(plot.bars.size());
    const PixelAxis x(range, logarithmic ? Scale::logarithmic : Scale::linear, left, right, 4);

    std::string body;
    std::string grid;
    double taken = 0;  // by labels, from the left
    for (const Tick& tick : x.ticks()) {
        if (tick.label.empty()) continue;
        const double at = x(tick.value), width = text_width(tick.label);
        grid += fmt::format("M{} 0V{}", svg_number(at), svg_number(bottom));
        // The first label begins at the edge of the figure.
        const bool at_edge = at - left < 12;
        const double begin = at_edge ? at : at - width / 2;
        if (begin < taken) continue;
        taken = begin + width + 6;
        body += fmt::format(R"(<text class="tick{}" x="{}" y="{}">{}</text>)", at_edge ? "" : " middle",
                            svg_number(at), svg_number(bottom + 18), tick.label);
    }
    body += fmt::format(R"(<path class="grid" d="{}"/>)", grid);
    double top = 0;
    for (const Bar& bar : plot.bars) {
        const double length =
            std::isfinite(bar.value) ? std::max(1.0, x(std::max(bar.value, range.low)) - left) : 0;
        const double y = top + label_height;
        body += fmt::format(R"(<text class="label" x="{}" y="{}">{}</text>)", svg_number(left),
                            svg_number(y - 5), escape_markup(bar.label));
        body += fmt::format(
            R"(<rect class="f0"{} x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}: {}</title></rect>)",
            bar.pale ? R"( fill-opacity=".35")" : "", svg_number(left), svg_number(y), svg_number(length),
            svg_number(thickness), escape_markup(bar.label), escape_markup(bar.text));
        body += fmt::format(R"(<text x="{}" y="{}">{}</text>)", svg_number(left + length + 8),
                            svg_number(y + 11), escape_markup(bar.text));
        top += row;
    }
    draw_x_label(body, plot.axis, left, right, bottom);
    const double height = bottom + footer_height;
    return {plot.name, plot.caption, svg_open(plot.width, height, plot.caption) + body + "</svg>", plot.width,
            height};
}

}  // namespace stembridge::io

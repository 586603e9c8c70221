// SPDX-License-Identifier: Apache-2.0
#include "svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "stembridge/io/plot.hpp"

namespace stembridge::io {
namespace {

constexpr double legend_row = 19;
constexpr double legend_gap = 16;
constexpr double key_width = 22;

// Length of the UTF-8 sequence that starts at `text[at]`, or 0 when it is not a valid one.
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char lead = byte(at);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (std::size_t k = 1; k < length; ++k)
        if ((byte(at + k) & 0xC0) != 0x80) return 0;
    // Overlong forms, surrogates and what lies beyond U+10FFFF.
    if ((lead == 0xE0 && byte(at + 1) < 0xA0) || (lead == 0xED && byte(at + 1) > 0x9F) ||
        (lead == 0xF0 && byte(at + 1) < 0x90) || (lead == 0xF4 && byte(at + 1) > 0x8F))
        return 0;
    // U+FFFE and U+FFFF are not characters of XML.
    if (lead == 0xEF && byte(at + 1) == 0xBF && byte(at + 2) >= 0xBE) return 0;
    return length;
}

struct ElementColor {
    int atomic_number;
    const char* light;
    const char* dark;
};
constexpr ElementColor element_colors[] = {
    {1, "#ffffff", "#e9edf0"},  {5, "#e3a08c", "#e3a08c"},  {6, "#454c54", "#aab3bc"},
    {7, "#3f63c8", "#7d9cf0"},  {8, "#c8372d", "#ee7a70"},  {14, "#d9a520", "#e8bd4a"},
    {15, "#d97a1c", "#f0a050"}, {16, "#b5a300", "#d8c840"}, {22, "#8b93a1", "#b4bcc9"},
    {24, "#6f7fb8", "#9caee0"}, {26, "#b4623a", "#dd9068"}, {42, "#3f9c9c", "#6fcaca"},
    {79, "#c79a1b", "#e6c250"},
};

struct RingColor {
    const char* name;
    const char* light;
    const char* dark;
};
// Hexagons are the quiet ground; the others are apart in hue and in lightness for every kind of colour
// vision.
constexpr RingColor ring_colors[] = {{"ring-5", "#f0a35b", "#c97a2e"},
                                     {"ring-6", "#e3eaf0", "#2c3640"},
                                     {"ring-7", "#5aa2d8", "#3f86bd"},
                                     {"ring-8", "#a04f8f", "#b0629f"},
                                     {"ring-n", "#a7ad4d", "#949a3f"}};

}  // namespace

std::string svg_number(double value) {
    std::string text = fmt::format("{:.2f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

double text_width(std::string_view text, double font_size) {
    const auto letters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    return 0.58 * font_size * static_cast<double>(letters);
}

std::string number_label(double value, int decimals) {
    std::string digits = fmt::format("{:.{}f}", std::abs(value), std::max(decimals, 0));
    const std::size_t whole = std::min(digits.find('.'), digits.size());
    if (whole > 4)
        for (std::size_t at = whole; at > 3;) digits.insert(at -= 3, "\u2009");
    const bool zero = digits.find_first_of("123456789") == std::string::npos;
    return value < 0 && !zero ? fmt::format("\u2212{}", digits) : digits;
}

std::string length_label(double angstrom) {
    return angstrom < 10 ? fmt::format("{:g} Å", angstrom) : fmt::format("{:g} nm", angstrom / 10);
}

std::string svg_open(double width, double height, const std::string& caption) {
    return fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" class="sbf" role="img" viewBox="0 0 {0} {1}" width="{0}" height="{1}"><title>{2}</title>)",
        svg_number(width), svg_number(height), escape_markup(caption));
}

double legend_width(const std::vector<LegendItem>& items) {
    double width = 0;
    for (const LegendItem& item : items) width += key_width + text_width(item.label) + legend_gap;
    return items.empty() ? 0 : width - legend_gap;
}

double draw_legend(std::string& out, const std::vector<LegendItem>& items, double x, double y, double width) {
    double at = x;
    double row = y;
    for (const LegendItem& item : items) {
        const double needed = key_width + text_width(item.label);
        if (at > x && at + needed > x + width) {
            at = x;
            row += legend_row;
        }
        const double middle = at + 8;
        const auto add = [&](const std::string& text) { out += text; };
        const std::string mx = svg_number(middle);
        const std::string my = svg_number(row);
        switch (item.kind) {
            case LegendItem::Kind::line:
            case LegendItem::Kind::dashed:
                add(fmt::format(R"(<path class="{}" d="M{} {}h16"/>)",
                                item.kind == LegendItem::Kind::line ? "curve " + item.css : item.css,
                                svg_number(at), my));
                break;
            case LegendItem::Kind::area:
                add(fmt::format(R"(<rect class="{}" x="{}" y="{}" width="14" height="11" rx="2"/>)", item.css,
                                svg_number(at + 1), svg_number(row - 5.5)));
                break;
            case LegendItem::Kind::disc:
                add(fmt::format(R"(<circle class="{}" cx="{}" cy="{}" r="{}"/>)", item.css, mx, my,
                                svg_number(item.radius)));
                break;
            case LegendItem::Kind::pinned:
                add(fmt::format(
                    R"(<circle class="{0}" cx="{1}" cy="{2}" r="{3}"/><circle class="pin" cx="{1}" cy="{2}" r="1.8"/>)",
                    item.css, mx, my, svg_number(item.radius)));
                break;
            case LegendItem::Kind::arrow:
                add(fmt::format(R"(<path class="{}" d="M{} {}h14m-4.5 -3.5l4.5 3.5l-4.5 3.5"/>)", item.css,
                                svg_number(at), my));
                break;
            case LegendItem::Kind::cloud:
                add(fmt::format(
                    R"(<path class="{0}" stroke-width="3" stroke-opacity=".4" d="M{1} {2}h0m3 2h0m2 -4h0m2 3h0m-1 -5h0m-4 1h0m-1 5h0m5 1h0m-3 -3h0m1 1h0m-2 0h0"/>)",
                    item.css, svg_number(at + 4), my));
                break;
            case LegendItem::Kind::hollow:
                add(fmt::format(
                    R"(<circle fill="none" stroke="{}" stroke-width="2" cx="{}" cy="{}" r="{}"/>)", item.css,
                    mx, my, svg_number(item.radius)));
                break;
            case LegendItem::Kind::diamond:
                add(fmt::format(
                    R"(<path fill="none" stroke="{}" stroke-width="2" d="M{} {}l5 5l-5 5l-5 -5z"/>)",
                    item.css, mx, svg_number(row - 5)));
                break;
        }
        add(fmt::format(R"(<text class="key" x="{}" y="{}">{}</text>)", svg_number(at + key_width),
                        svg_number(row + 4), escape_markup(item.label)));
        at += needed + legend_gap;
    }
    return items.empty() ? 0 : row - y + legend_row;
}

std::string element_class(int atomic_number) {
    const bool known = std::any_of(std::begin(element_colors), std::end(element_colors),
                                   [&](const ElementColor& e) { return e.atomic_number == atomic_number; });
    return known ? fmt::format("atom e-{}", atomic_number) : "atom e-x";
}

std::string ring_class(int size) {
    return size >= 5 && size <= 8 ? fmt::format("ring-{}", size) : "ring-n";
}

std::string overlay_color(int atomic_number) {
    switch (atomic_number) {
        case 6:
            return "#3fc6f5";
        case 14:
            return "#ffb52e";
        case 0:
            return "#ff5fa8";
        default:
            return "#b6f06a";
    }
}

std::string figure_css(bool dark) {
    struct Theme {
        const char *ink, *soft, *line, *axis, *ground, *bond, *outline;
        std::array<const char*, 6> palette;
    };
    const Theme light = {
        "#1d2329", "#5a646e", "#e6e9ec", "#9aa3ab",
        "#ffffff", "#7d8790", "#2a3036", {"#1f6fb2", "#d9730d", "#178a6a", "#8a4ea3", "#bf2f4b", "#6b7680"}};
    const Theme night = {
        "#e8ebee", "#a5aeb7", "#2b3238", "#65707a",
        "#15191d", "#808b95", "#0f1215", {"#6cb2eb", "#f2a65a", "#56c5a2", "#c792db", "#f07f93", "#a3adb7"}};
    const Theme& t = dark ? night : light;
    std::string css;
    const auto rule = [&](const std::string& selector, const std::string& body) {
        css += fmt::format(".sbf {}{{{}}}\n", selector, body);
    };
    rule("text", fmt::format("font:12px ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
                             "Neue',Arial,sans-serif;fill:{};font-variant-numeric:tabular-nums",
                             t.soft));
    rule(".label", fmt::format("fill:{}", t.ink));
    rule(".key", fmt::format("fill:{}", t.ink));
    rule(".panel-title", fmt::format("fill:{};font-weight:600", t.ink));
    rule(".end", "text-anchor:end");
    rule(".middle", "text-anchor:middle");
    rule(".ground", fmt::format("fill:{}", t.ground));
    rule(".grid", fmt::format("stroke:{};fill:none;shape-rendering:crispEdges", t.line));
    rule(".axis", fmt::format("stroke:{};fill:none;shape-rendering:crispEdges", t.axis));
    rule(".level", fmt::format("stroke:{};fill:none;stroke-dasharray:5 4", t.soft));
    rule(".curve", "fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round");
    rule(".faint", "stroke-opacity:.42;stroke-width:1");
    rule(".area", "fill-opacity:.22;stroke-width:1.5;stroke-linejoin:round");
    for (std::size_t k = 0; k < t.palette.size(); ++k) {
        rule(fmt::format(".c{}", k), fmt::format("stroke:{}", t.palette[k]));
        rule(fmt::format(".f{}", k), fmt::format("fill:{}", t.palette[k]));
    }
    rule(".bond", fmt::format("stroke:{};fill:none;stroke-linecap:round", t.bond));
    rule(".atom", fmt::format("stroke:{}", t.outline));
    rule(".e-x", "fill:#a58fbf");
    for (const ElementColor& e : element_colors)
        rule(fmt::format(".e-{}", e.atomic_number), fmt::format("fill:{}", dark ? e.dark : e.light));
    for (const RingColor& r : ring_colors)
        rule(fmt::format(".{}", r.name), fmt::format("fill:{}", dark ? r.dark : r.light));
    rule(".ring-label", fmt::format("fill:{};text-anchor:middle;font-weight:600", dark ? "#ffffff" : t.ink));
    rule(".on-dark", "fill:#ffffff");
    // The dot in an atom that is held fixed; hydrogen is as light as the ground of the light theme.
    rule(".pin", fmt::format("fill:{}", t.ground));
    rule(".pin-on-light", fmt::format("fill:{}", dark ? t.ground : t.ink));
    rule(".arrow",
         fmt::format("stroke:{};fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round",
                     t.palette[4]));
    rule(".cloud", fmt::format("stroke:{};fill:none;stroke-linecap:round", t.ink));
    rule(".cloud.light", fmt::format("stroke:{}", t.soft));
    rule(".cell", fmt::format("stroke:{};fill:none;stroke-dasharray:4 4", t.axis));
    rule(".scale", fmt::format("stroke:{};fill:none;stroke-width:2.5", t.ink));
    return css;
}

std::string standalone_svg(const Figure& figure) {
    const std::size_t inside = figure.svg.find('>') + 1;
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + figure.svg.substr(0, inside) + "<style>" +
           figure_css() + "</style>" + R"(<rect class="ground" width="100%" height="100%"/>)" +
           figure.svg.substr(inside) + "\n";
}

std::string escape_markup(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (length == 0) {
            out += "\uFFFD";
            ++at;
            continue;
        }
        const char c = text[at];
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else if (c == '\'')
            out += "&#39;";
        else if (length > 1 || static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
            out.append(text.substr(at, length));
        at += length;
    }
    return out;
}

double nice_length(double longest) {
    const double power = std::pow(10.0, std::floor(std::log10(longest)));
    for (const double factor : {5.0, 2.0})
        if (factor * power <= longest * (1 + 1e-12)) return factor * power;
    return power;
}

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
#include "scan_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/plot.hpp"

namespace stembridge::app {
namespace {

using Color = std::array<double, 3>;

constexpr int wanted_width = 720, largest_zoom = 24;
constexpr int footer = 52, margin = 14, bar_height = 6, font_scale = 2, glyph_width = 6, glyph_height = 7;
constexpr Color white = {255, 255, 255}, ground = {18, 18, 22};

/// Seven rows of five dots, the leftmost in bit 4.
struct Glyph {
    char32_t letter;
    std::array<unsigned char, 7> rows;
};

constexpr Glyph glyphs[] = {
    {U'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}}, {U'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {U'2', {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}}, {U'3', {0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e}},
    {U'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}}, {U'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
    {U'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}}, {U'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
    {U'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}}, {U'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
    {U'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}}, {U'-', {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}},
    {U'+', {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00}}, {U'e', {0x00, 0x00, 0x0e, 0x11, 0x1f, 0x10, 0x0e}},
    {U'V', {0x11, 0x11, 0x11, 0x11, 0x0a, 0x0a, 0x04}}, {U'Å', {0x04, 0x0a, 0x04, 0x0a, 0x11, 0x1f, 0x11}},
};

/// Characters of a text in UTF-8 of which Å is the only one beyond ASCII.
std::u32string letters(std::string_view text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool two = static_cast<unsigned char>(text[i]) == 0xc3;
        result.push_back(two ? U'Å' : static_cast<char32_t>(text[i]));
        if (two) ++i;
    }
    return result;
}

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

class Canvas {
  public:
    Canvas(int width, int height) : bitmap_{width, height, 3, {}} {
        bitmap_.bytes.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
        fill(0, 0, width, height, ground);
    }
    const io::Bitmap& bitmap() const { return bitmap_; }

    void blend(int x, int y, const Color& color, double weight = 1) {
        if (x < 0 || y < 0 || x >= bitmap_.width || y >= bitmap_.height) return;
        auto* pixel =
            &bitmap_.bytes[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(bitmap_.width) +
                                static_cast<std::size_t>(x))];
        for (std::size_t c = 0; c < 3; ++c)
            pixel[c] = static_cast<std::uint8_t>(std::lround((1 - weight) * pixel[c] + weight * color[c]));
    }
    void fill(int x, int y, int width, int height, const Color& color) {
        for (int j = y; j < y + height; ++j)
            for (int i = x; i < x + width; ++i) blend(i, j, color);
    }
    void ring(double x, double y, double radius, const Color& color) {
        const int reach = static_cast<int>(std::ceil(radius)) + 2;
        for (int j = static_cast<int>(y) - reach; j <= static_cast<int>(y) + reach; ++j)
            for (int i = static_cast<int>(x) - reach; i <= static_cast<int>(x) + reach; ++i)
                blend(i, j, color, std::clamp(1.5 - std::abs(std::hypot(i - x, j - y) - radius), 0.0, 1.0));
    }
    static int text_width(std::string_view text) {
        return static_cast<int>(letters(text).size()) * glyph_width * font_scale;
    }
    void text(int x, int y, std::string_view text) {
        for (const char32_t letter : letters(text)) {
            const auto* found = std::find_if(std::begin(glyphs), std::end(glyphs),
                                             [&](const Glyph& g) { return g.letter == letter; });
            if (found != std::end(glyphs))
                for (int row = 0; row < glyph_height; ++row)
                    for (int column = 0; column < 5; ++column)
                        if (found->rows[static_cast<std::size_t>(row)] >> (4 - column) & 1)
                            fill(x + column * font_scale, y + row * font_scale, font_scale, font_scale,
                                 white);
            x += glyph_width * font_scale;
        }
    }

  private:
    io::Bitmap bitmap_;
};

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
    canvas.fill(0, height, width, footer, ground);

    // Scale bar with its length on the left, the title in the middle, the colour scale on the right.
    const double angstrom_per_px = picture.pixel_angstrom / zoom;
    const double length = io::nice_length(0.2 * width * angstrom_per_px);
    const int bar = static_cast<int>(std::lround(length / angstrom_per_px));
    const int text_y = height + (footer - glyph_height * font_scale) / 2;
    canvas.fill(margin, height + (footer - bar_height) / 2, bar, bar_height, white);
    const std::string bar_label = fmt::format("{:g} Å", length);
    canvas.text(margin + bar + 10, text_y, bar_label);
    const std::string low_label = fmt::format("{:.3g}", low);
    const std::string high_label =
        fmt::format("{:.3g}{}{}", high, picture.unit.empty() ? "" : " ", picture.unit);
    constexpr int gradient = 110;
    const int right = width - margin - Canvas::text_width(high_label);
    canvas.text(right, text_y, high_label);
    for (int x = 0; x < gradient; ++x)
        canvas.fill(right - 10 - gradient + x, height + footer / 2 - 8, 1, 16,
                    heat(static_cast<double>(x) / (gradient - 1)));
    const int low_x = right - 20 - gradient - Canvas::text_width(low_label);
    canvas.text(low_x, text_y, low_label);
    const int left_end = margin + bar + 10 + Canvas::text_width(bar_label);
    canvas.text((left_end + low_x - Canvas::text_width(picture.title)) / 2, text_y, picture.title);
    io::write_png8(path, canvas.bitmap());
}

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
#include "canvas.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace stembridge::app {
namespace {

constexpr int glyph_width = 6, glyph_height = 7;

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
    {U'/', {0x01, 0x02, 0x02, 0x04, 0x08, 0x08, 0x10}}, {U'³', {0x1c, 0x04, 0x0c, 0x04, 0x1c, 0x00, 0x00}},
    {U'C', {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}}, {U'S', {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}},
    {U'X', {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11}}, {U'i', {0x04, 0x00, 0x0c, 0x04, 0x04, 0x04, 0x0e}},
    {U'n', {0x00, 0x00, 0x16, 0x19, 0x11, 0x11, 0x11}}, {U'm', {0x00, 0x00, 0x1a, 0x15, 0x15, 0x11, 0x11}},
};

/// Characters of a text in UTF-8, of one or two bytes.
std::u32string letters(std::string_view text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool two = byte >= 0xc0 && i + 1 < text.size();
        result.push_back(two ? static_cast<char32_t>((byte & 0x1f) << 6 | (text[i + 1] & 0x3f)) : byte);
        if (two) ++i;
    }
    return result;
}

}  // namespace

Canvas::Canvas(int width, int height) : bitmap_{width, height, 3, {}} {
    bitmap_.bytes.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    fill(0, 0, width, height, ground);
}

void Canvas::blend(int x, int y, const Color& color, double weight) {
    if (x < 0 || y < 0 || x >= bitmap_.width || y >= bitmap_.height) return;
    auto* pixel = &bitmap_.bytes[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(bitmap_.width) +
                                      static_cast<std::size_t>(x))];
    for (std::size_t c = 0; c < 3; ++c)
        pixel[c] = static_cast<std::uint8_t>(std::lround((1 - weight) * pixel[c] + weight * color[c]));
}

void Canvas::fill(int x, int y, int width, int height, const Color& color) {
    for (int j = y; j < y + height; ++j)
        for (int i = x; i < x + width; ++i) blend(i, j, color);
}

void Canvas::ring(double x, double y, double radius, const Color& color) {
    const int reach = static_cast<int>(std::ceil(radius)) + 2;
    for (int j = static_cast<int>(y) - reach; j <= static_cast<int>(y) + reach; ++j)
        for (int i = static_cast<int>(x) - reach; i <= static_cast<int>(x) + reach; ++i)
            blend(i, j, color, std::clamp(1.5 - std::abs(std::hypot(i - x, j - y) - radius), 0.0, 1.0));
}

int Canvas::text_width(std::string_view text, int scale) {
    return static_cast<int>(letters(text).size()) * glyph_width * scale;
}

int Canvas::text_height(int scale) {
    return glyph_height * scale;
}

void Canvas::text(int x, int y, std::string_view text, int scale) {
    for (const char32_t letter : letters(text)) {
        const auto* found = std::find_if(std::begin(glyphs), std::end(glyphs),
                                         [&](const Glyph& g) { return g.letter == letter; });
        if (found != std::end(glyphs))
            for (int row = 0; row < glyph_height; ++row)
                for (int column = 0; column < 5; ++column)
                    if (found->rows[static_cast<std::size_t>(row)] >> (4 - column) & 1)
                        fill(x + column * scale, y + row * scale, scale, scale, white);
        x += glyph_width * scale;
    }
}

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
#include "overlay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "canvas.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/plot.hpp"

namespace stembridge::app {
namespace {

constexpr double ring_radius_angstrom = 0.35;

/// How many times its size a frame is drawn: twice, more where rings would have less than three pixels, as
/// long as the picture stays below 8192 pixels.
int zoom_of(const Image& image, double ring_radius_px) {
    constexpr int largest = 8192;
    const int room = largest / std::max<int>({1, image.width(), image.height()});
    return std::max(2, std::min(static_cast<int>(std::ceil(3 / ring_radius_px)), room));
}

Canvas::Color color_of(int atomic_number) {
    if (atomic_number == 6) return {86, 180, 233};
    if (atomic_number == 14) return {230, 159, 0};
    return {204, 121, 167};
}

/// Grey levels of what surrounds the atoms: contamination beside them may be white all over. Of the whole
/// frame where there are few.
io::Contrast contrast_around(const Image& image, const Detections& atoms, double angstrom_per_px) {
    constexpr std::size_t few = 32;
    if (atoms.size() < few) return io::contrast_of(image.pixels);
    const int reach = std::max(1, static_cast<int>(std::lround(1 / angstrom_per_px)));
    std::vector<float> levels;
    for (const Detection& atom : atoms)
        for (int row = static_cast<int>(atom.y_px) - reach; row <= static_cast<int>(atom.y_px) + reach; ++row)
            for (int column = static_cast<int>(atom.x_px) - reach;
                 column <= static_cast<int>(atom.x_px) + reach; ++column)
                if (row >= 0 && column >= 0 && row < image.height() && column < image.width())
                    levels.push_back(image.pixels(row, column));
    return io::contrast_of(
        Eigen::Map<const Pixels>(levels.data(), 1, static_cast<Eigen::Index>(levels.size())));
}

/// Scale bar and legend of the rings, below the frame.
void draw_footer(Canvas& canvas, const Detections& atoms, int top, double angstrom_per_px) {
    const int height = canvas.bitmap().height - top, scale = std::max(1, height / 16);
    const int text_y = top + (height - Canvas::text_height(scale)) / 2;
    const double length = io::nice_length(0.2 * canvas.bitmap().width * angstrom_per_px);
    const int bar = static_cast<int>(std::lround(length / angstrom_per_px));
    int x = 6 * scale;
    canvas.fill(x, top + height / 2 - scale, bar, 2 * scale, Canvas::white);
    x += bar + 6 * scale;
    const std::string label =
        length >= 10 ? fmt::format("{:g} nm", 0.1 * length) : fmt::format("{:g} Å", length);
    canvas.text(x, text_y, label, scale);
    x += Canvas::text_width(label, scale) + 18 * scale;
    std::set<int> elements;
    for (const Detection& atom : atoms) elements.insert(atom.atomic_number);
    for (const int element : elements) {
        const std::string symbol = element == 0 ? "X" : element_symbol(element);
        canvas.ring(x, top + height / 2.0, 3.5 * scale, color_of(element));
        canvas.text(x + 7 * scale, text_y, symbol, scale);
        x += Canvas::text_width(symbol, scale) + 22 * scale;
    }
}

}  // namespace

void write_overlay(const std::filesystem::path& path, const Image& image, const Detections& atoms,
                   double angstrom_per_px) {
    const double radius_px = ring_radius_angstrom / angstrom_per_px;  // of the frame
    const int zoom = zoom_of(image, radius_px);
    const io::Bitmap grey = io::to_bitmap(image.pixels, contrast_around(image, atoms, angstrom_per_px));
    const int width = zoom * image.width(), height = zoom * image.height();
    Canvas canvas(width, height + std::max(32, width / 28));
    for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column) {
            const double level =
                grey.bytes[static_cast<std::size_t>(row / zoom) * grey.width + column / zoom];
            canvas.blend(column, row, {level, level, level});
        }
    for (const Detection& atom : atoms)
        canvas.ring(zoom * (atom.x_px + 0.5) - 0.5, zoom * (atom.y_px + 0.5) - 0.5, zoom * radius_px,
                    color_of(atom.atomic_number));
    draw_footer(canvas, atoms, height, angstrom_per_px / zoom);
    io::write_png8(path, canvas.bitmap());
}

}  // namespace stembridge::app

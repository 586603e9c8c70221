// SPDX-License-Identifier: Apache-2.0
#include "overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>

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

std::array<double, 3> color_of(int atomic_number) {
    if (atomic_number == 6) return {86, 180, 233};
    if (atomic_number == 14) return {230, 159, 0};
    return {204, 121, 167};
}

/// Blends a ring of about two pixels width into the bitmap.
void draw_ring(io::Bitmap& bitmap, double x, double y, double radius, const std::array<double, 3>& color) {
    const int reach = static_cast<int>(std::ceil(radius)) + 2;
    for (int row = static_cast<int>(y) - reach; row <= static_cast<int>(y) + reach; ++row)
        for (int column = static_cast<int>(x) - reach; column <= static_cast<int>(x) + reach; ++column) {
            if (row < 0 || column < 0 || row >= bitmap.height || column >= bitmap.width) continue;
            const double off = std::abs(std::hypot(column - x, row - y) - radius);
            const double weight = std::clamp(1.5 - off, 0.0, 1.0);
            auto* pixel = &bitmap.bytes[3 * (static_cast<std::size_t>(row) * bitmap.width + column)];
            for (std::size_t c = 0; c < 3; ++c)
                pixel[c] = static_cast<std::uint8_t>((1 - weight) * pixel[c] + weight * color[c]);
        }
}

}  // namespace

void write_overlay(const std::filesystem::path& path, const Image& image, const Detections& atoms,
                   double angstrom_per_px) {
    const double radius_px = ring_radius_angstrom / angstrom_per_px;  // of the frame
    const int zoom = zoom_of(image, radius_px);
    const io::Bitmap grey = io::to_bitmap(image.pixels, io::contrast_of(image.pixels));
    io::Bitmap bitmap{zoom * image.width(), zoom * image.height(), 3, {}};
    bitmap.bytes.resize(3 * static_cast<std::size_t>(bitmap.width) * bitmap.height);
    for (int row = 0; row < bitmap.height; ++row)
        for (int column = 0; column < bitmap.width; ++column)
            std::fill_n(&bitmap.bytes[3 * (static_cast<std::size_t>(row) * bitmap.width + column)], 3,
                        grey.bytes[static_cast<std::size_t>(row / zoom) * grey.width + column / zoom]);
    for (const Detection& atom : atoms)
        draw_ring(bitmap, zoom * (atom.x_px + 0.5) - 0.5, zoom * (atom.y_px + 0.5) - 0.5, zoom * radius_px,
                  color_of(atom.atomic_number));
    io::write_png8(path, bitmap);
}

}  // namespace stembridge::app

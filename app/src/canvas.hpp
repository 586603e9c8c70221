// SPDX-License-Identifier: Apache-2.0
// Marks, bars and short texts on a picture of 8-bit colours.
#pragma once

#include <array>
#include <string_view>

#include "stembridge/io/image_file.hpp"

namespace stembridge::app {

class Canvas {
  public:
    using Color = std::array<double, 3>;  ///< red, green, blue from 0 to 255
    static constexpr Color white = {255, 255, 255}, ground = {18, 18, 22};

    /// All `ground`.
    Canvas(int width, int height);
    const io::Bitmap& bitmap() const { return bitmap_; }

    /// @param weight of the colour against what is there, 0 to 1
    void blend(int x, int y, const Color& color, double weight = 1);
    void fill(int x, int y, int width, int height, const Color& color);
    /// A ring of about two pixels width.
    void ring(double x, double y, double radius, const Color& color);
    /// Digits, signs, "/", "Å", "³", and the letters of units and elements that are needed; others leave a
    /// gap.
    /// @param scale pixels per dot of the letters, which are 5 x 7 dots
    void text(int x, int y, std::string_view text, int scale);
    static int text_width(std::string_view text, int scale);
    static int text_height(int scale);

  private:
    io::Bitmap bitmap_;
};

}  // namespace stembridge::app

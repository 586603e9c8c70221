// SPDX-License-Identifier: Apache-2.0
// Image files made byte by byte, independent of the code under test.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "stembridge/io/image_file.hpp"
#include "support/support.hpp"

namespace stembridge::testing {

/// Writes an image file and reads a frame of it.
class Scratch : public TemporaryFolder {
  public:
    Image read(const std::string& name, const std::string& content, int frame = 0,
               const std::string& dataset = "") const {
        return io::read_image(write(name, content), frame, dataset);
    }
};

/// Whether all pixels are first, first + 1, ... in reading order.
bool is_counted(const Image& image, int rows, int columns, int first = 0);

/// The bytes of a number in either order.
template <class T>
std::string bytes_of(T value, bool big_endian = false) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    if (big_endian != (std::endian::native == std::endian::big)) bytes.assign(bytes.rbegin(), bytes.rend());
    return bytes;
}

/// A .npy file. @param descr e.g. "<f4"  @param shape e.g. "2, 3"
std::string npy_file(const std::string& descr, const std::string& shape, const std::string& items,
                     bool column_major = false, int version = 1);

/// A .zip archive with these members. @param deflated whether they are packed
std::string zip_file(const std::vector<std::pair<std::string, std::string>>& members, bool deflated);

/// A PNG file from raw rows (each row without its filter byte).
std::string png_file(std::uint32_t width, std::uint32_t height, int depth, int colour_type,
                     const std::vector<std::string>& rows, const std::string& palette = "");

/// One page of a TIFF file: uncompressed, one strip.
struct TiffPage {
    std::uint16_t width = 0;
    std::uint16_t height = 0;
    std::uint16_t bits = 8;
    std::uint16_t format = 1;  // 1 unsigned, 2 signed, 3 floating point
    std::uint16_t photometric = 1;
    std::uint16_t samples = 1;
    std::string data;
    std::string description;
    std::uint32_t pixels_per_million_units = 0;  // 0 = no resolution
    std::uint16_t resolution_unit = 1;
};

/// A little- or big-endian TIFF file; the data must already be in that order.
std::string tiff_file(const std::vector<TiffPage>& pages, bool big_endian = false);

}  // namespace stembridge::testing

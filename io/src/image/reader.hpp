// SPDX-License-Identifier: Apache-2.0
// What every image format gives, and what they share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::io {

/// An opened image file: a stack of frames.
class ImageReader {
  public:
    virtual ~ImageReader() = default;
    virtual int n_frames() const = 0;
    /// Pixels of a frame in 0 .. n_frames() - 1. @throw FileError when truncated or malformed
    virtual Pixels read(int frame) = 0;
    virtual std::optional<double> pixel_size_angstrom(int frame) = 0;
    /// Which of several images inside the file this is; empty where there is but one.
    virtual std::string dataset() const { return {}; }
};

std::unique_ptr<ImageReader> open_npy(const std::filesystem::path& path);
std::unique_ptr<ImageReader> open_npz(const std::filesystem::path& path, const std::string& dataset);
std::unique_ptr<ImageReader> open_png(const std::filesystem::path& path);
std::unique_ptr<ImageReader> open_tiff(const std::filesystem::path& path);
std::unique_ptr<ImageReader> open_hdf5(const std::filesystem::path& path, const std::string& dataset);
std::unique_ptr<ImageReader> open_dm(const std::filesystem::path& path, const std::string& dataset);

/// More pixels than any micrograph has: a damaged header.
inline constexpr std::int64_t most_pixels = std::int64_t{1} << 30;

/// deflate cannot make data smaller than this factor.
inline constexpr std::uint64_t most_deflated = 1032;

/// @throw InputError unless the shape is (rows, columns) or (frames, rows, columns) and nothing is empty or
/// absurd
void check_shape(const std::vector<std::uint64_t>& shape, const std::string& name);

/// "(3, 64, 64)"
std::string shape_text(const std::vector<std::uint64_t>& shape);

/// Brightness of a colour. @source ITU-R BT.601
inline double luminance(double red, double green, double blue) {
    return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/// Angstrom per unit of a name such as "nm", "micron", "\u00b5m", "\\u00B5m", if it is one.
std::optional<double> angstrom_per(std::string unit);

/// The same for the unit of an image's axes, as formats write it ("[n_m]"); nothing for pixels and unknown
/// words.
/// @throw InputError naming the image when the unit is that of a diffraction pattern (1/nm, mrad)
std::optional<double> real_space_angstrom(std::string unit, const std::string& name);

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// Micrographs from and to files.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "stembridge/structure/image.hpp"

namespace stembridge::io {

/// 8-bit pixels, row by row; 1 byte (grey) or 3 bytes (red, green, blue) per pixel.
struct Bitmap {
    int width = 0;
    int height = 0;
    int channels = 1;                 ///< 1 or 3
    std::vector<std::uint8_t> bytes;  ///< width * height * channels
};

/// One frame of a micrograph; the format follows the suffix: .npy, .npz, .png, .tif/.tiff, HDF5 as
/// .h5/.hdf5/.hf5/.emd (plain, NSID, USID, EMD of Berkeley or Velox), Gatan's .dm3/.dm4.
///
/// Stacks are (frame, row, column) unless the file names its axes; colour becomes luminance. The pixel size
/// comes from what the format has for it: TIFF resolution tags with a physical unit (values above 1
/// micrometre per pixel are print resolutions and ignored) or ImageJ's unit; the calibrated axes of NSID,
/// USID, EMD and Gatan's files; or the attribute `pixel_size` of an HDF5 dataset or a group above it: a text
/// with a unit, or a number in `pixel_size_unit`, angstrom where there is none.
/// @param frame counted from 0  @param dataset name inside .npz, HDF5 and .dm; empty = the first image
/// @throw FileError when the file is missing, unreadable, truncated or malformed  @throw InputError when it
/// holds no such frame, is not 2-D or 3-D, is empty, or has pixels that are not finite, or is a diffraction
/// pattern
Image read_image(const std::filesystem::path& path, int frame = 0, const std::string& dataset = "");

class ImageReader;

/// An image file that stays open while its frames are read one after another.
class ImageStack {
  public:
    /// @param dataset as of read_image()  @throw as read_image()
    explicit ImageStack(const std::filesystem::path& path, const std::string& dataset = "");
    ~ImageStack();
    ImageStack(const ImageStack&) = delete;
    ImageStack& operator=(const ImageStack&) = delete;
    int n_frames() const;
    /// @param frame counted from 0  @throw as read_image()
    Image read(int frame);

  private:
    std::filesystem::path path_;
    std::unique_ptr<ImageReader> reader_;
};

/// Number of frames in a file that read_image() accepts. @throw as read_image()
int n_frames(const std::filesystem::path& path, const std::string& dataset = "");

/// Writes float32 pixels (height, width) as .npy. @throw FileError
void write_npy(const std::filesystem::path& path, const Pixels& pixels);
/// Writes a stack (frame, height, width) of equal frames as .npy. @throw FileError
void write_npy(const std::filesystem::path& path, const std::vector<Pixels>& stack);

/// Grey levels 0..255 for pixels between low and high; values outside are clipped.
Bitmap to_bitmap(const Pixels& pixels, float low, float high);
/// The same between the smallest and the largest pixel.
Bitmap to_bitmap(const Pixels& pixels);

/// The bytes of a PNG file.
std::vector<std::uint8_t> encode_png(const Bitmap& bitmap);
/// Writes an 8-bit PNG. @throw FileError
void write_png8(const std::filesystem::path& path, const Bitmap& bitmap);

}  // namespace stembridge::io

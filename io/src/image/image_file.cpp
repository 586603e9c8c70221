// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/image_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "image/reader.hpp"
#include "image/trial.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

std::string suffix_of(const fs::path& path) {
    std::string suffix = path.extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return suffix;
}

bool is_hdf5(const fs::path& path) {
    const std::string suffix = suffix_of(path);
    return suffix == ".h5" || suffix == ".hdf5" || suffix == ".hf5" || suffix == ".emd";
}

std::unique_ptr<ImageReader> open_image(const fs::path& path, const std::string& dataset) {
    const std::string suffix = suffix_of(path);
    if (suffix == ".npz") return open_npz(path, dataset);
    if (is_hdf5(path)) {
        try_first(fmt::format("'{}'", path.string()), [&] {
            const auto reader = open_hdf5(path, dataset);
            if (reader->n_frames() > 0) {
                reader->read(0);
                reader->pixel_size_angstrom(0);
            }
        });
        return open_hdf5(path, dataset);
    }
    if (suffix == ".dm3" || suffix == ".dm4") return open_dm(path, dataset);
    if (!dataset.empty())
        throw InputError(
            fmt::format("image '{}': a dataset ('{}') can be named only in .npz, .dm and HDF5 files",
                        path.string(), dataset));
    if (suffix == ".npy") return open_npy(path);
    if (suffix == ".png") return open_png(path);
    if (suffix == ".tif" || suffix == ".tiff") return open_tiff(path);
    throw InputError(
        fmt::format("image '{}' has the suffix '{}'; accepted: .npy, .npz, .png, .tif, .tiff, .h5, .hdf5, "
                    ".hf5, .emd, .dm3, .dm4",
                    path.string(), suffix));
}

void check_finite(const Image& image) {
    if (image.pixels.allFinite()) return;
    int bad = 0;
    int first_row = 0;
    int first_column = 0;
    for (int row = 0; row < image.height(); ++row) {
        for (int column = 0; column < image.width(); ++column) {
            if (std::isfinite(image.pixels(row, column))) continue;
            if (bad++ == 0) {
                first_row = row;
                first_column = column;
            }
        }
    }
    throw InputError(
        fmt::format("image {}: {} of {} pixels are not finite numbers (NaN or infinite), the first at row "
                    "{}, column {}; replace or crop them",
                    image.source, bad, image.pixels.size(), first_row, first_column));
}

}  // namespace

std::string shape_text(const std::vector<std::uint64_t>& shape) {
    return fmt::format("({})", fmt::join(shape, ", "));
}

void check_shape(const std::vector<std::uint64_t>& shape, const std::string& name) {
    if (shape.size() != 2 && shape.size() != 3)
        throw InputError(
            fmt::format("image {} has {} dimension{}, shape {}; accepted: (rows, columns) or (frames, "
                        "rows, columns)",
                        name, shape.size(), shape.size() == 1 ? "" : "s", shape_text(shape)));
    if (std::find(shape.begin(), shape.end(), 0U) != shape.end())
        throw InputError(fmt::format("image {} is empty: shape {}", name, shape_text(shape)));
    // As rows of three or four pixels no frame is recorded.
    if (shape.size() == 3 && (shape[2] == 3 || shape[2] == 4) && shape[0] >= 8 && shape[1] >= 8)
        throw InputError(fmt::format(
            "image {} has the shape {} of a colour picture; accepted: one channel (rows, columns) or "
            "(frames, rows, columns)",
            name, shape_text(shape)));
    const std::uint64_t most = most_pixels;
    const std::uint64_t rows = shape[shape.size() - 2];
    const std::uint64_t columns = shape.back();
    if (rows > most || columns > most / rows || (shape.size() == 3 && shape[0] > most))
        throw InputError(fmt::format("image {} claims the shape {}: more than {} pixels per frame or frames",
                                     name, shape_text(shape), most));
}

std::optional<double> angstrom_per(std::string unit) {
    static constexpr std::array<std::pair<const char*, double>, 20> names = {
        {{"angstrom", 1}, {"angstroms", 1}, {"a", 1},         {"\u00c5", 1},     {"\u212b", 1},
         {"\\u00c5", 1},  {"\xc5", 1},      {"nm", 10},       {"nanometer", 10}, {"nanometre", 10},
         {"pm", 0.01},    {"um", 1e4},      {"\u00b5m", 1e4}, {"\u03bcm", 1e4},  {"\\u00b5m", 1e4},
         {"\xb5m", 1e4},  {"micron", 1e4},  {"microns", 1e4}, {"m", 1e10},       {"mm", 1e7}}};
    for (char& c : unit)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    for (const auto& [name, value] : names)
        if (unit == name) return value;
    return std::nullopt;
}

std::optional<double> real_space_angstrom(std::string unit, const std::string& name) {
    std::erase_if(unit, [](char c) { return c == '[' || c == ']' || c == '_' || c == ' '; });
    const bool reciprocal = unit.starts_with("1/") || unit.find("^-1") != std::string::npos ||
                            unit.find("\u207b\u00b9") != std::string::npos || unit == "nm-1" || unit == "m-1";
    if (reciprocal || unit == "mrad" || unit == "rad")
        throw InputError(
            fmt::format("image {} is calibrated in {}: a diffraction pattern or a Fourier transform; "
                        "needed is an image in real space (nm, angstrom, pm, um)",
                        name, unit));
    return angstrom_per(unit);
}

ImageStack::ImageStack(const fs::path& path, const std::string& dataset)
    : path_(path), reader_(open_image(path, dataset)) {}

ImageStack::~ImageStack() = default;

int ImageStack::n_frames() const {
    return reader_->n_frames();
}

Image ImageStack::read(int frame) {
    const int frames = n_frames();
    if (frame < 0 || frame >= frames)
        throw InputError(fmt::format("image '{}' has no frame {}: it holds {} frame{}, counted from 0",
                                     path_.string(), frame, frames, frames == 1 ? "" : "s"));
    Image image;
    image.source = path_.string();
    if (!reader_->dataset().empty()) image.source += fmt::format(", dataset {}", reader_->dataset());
    if (frames > 1) image.source += fmt::format(", frame {} of {}", frame, frames);
    // Frame 0 was tried when the file was opened.
    if (frame > 0 && is_hdf5(path_))
        try_first(image.source, [&] {
            reader_->read(frame);
            reader_->pixel_size_angstrom(frame);
        });
    image.pixels = reader_->read(frame);
    image.pixel_size_angstrom = reader_->pixel_size_angstrom(frame);
    check_finite(image);
    return image;
}

Image read_image(const fs::path& path, int frame, const std::string& dataset) {
    return ImageStack(path, dataset).read(frame);
}

int n_frames(const fs::path& path, const std::string& dataset) {
    return ImageStack(path, dataset).n_frames();
}

Bitmap to_bitmap(const Pixels& pixels, float low, float high) {
    Bitmap bitmap{static_cast<int>(pixels.cols()), static_cast<int>(pixels.rows()), 1, {}};
    bitmap.bytes.reserve(static_cast<std::size_t>(pixels.size()));
    const float scale = high > low ? 255.0F / (high - low) : 0.0F;
    for (Eigen::Index i = 0; i < pixels.size(); ++i) {
        const float level = (pixels.data()[i] - low) * scale;
        bitmap.bytes.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(level, 0.0F, 255.0F))));
    }
    return bitmap;
}

Bitmap to_bitmap(const Pixels& pixels) {
    if (pixels.size() == 0) return {};
    return to_bitmap(pixels, pixels.minCoeff(), pixels.maxCoeff());
}

}  // namespace stembridge::io

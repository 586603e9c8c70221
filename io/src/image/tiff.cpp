// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <tiffio.h>

#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

int remember_error(TIFF*, void* first_error, const char*, const char* format, va_list arguments) {
    auto* text = static_cast<std::string*>(first_error);
    if (text->empty()) {
        std::array<char, 500> buffer{};
        std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
        *text = buffer.data();
    }
    return 1;  // handled: nothing is printed
}

int ignore_warning(TIFF*, void*, const char*, const char*, va_list) {
    return 1;
}

/// How the samples of one page are stored.
struct Layout {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint16_t bits = 1;
    std::uint16_t samples = 1;
    std::uint16_t format = SAMPLEFORMAT_UINT;
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
    std::uint16_t planar = PLANARCONFIG_CONTIG;

    std::size_t bytes() const { return bits / 8U; }
    bool colour() const { return photometric == PHOTOMETRIC_RGB && samples >= 3; }
};

template <class T>
double load(const std::uint8_t* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return static_cast<double>(value);
}

using Load = double (*)(const std::uint8_t*);

/// How to read one sample, or nullptr when it is of a kind that is not accepted.
Load loader(const Layout& layout) {
    switch (layout.format) {
        case SAMPLEFORMAT_UINT:
        case SAMPLEFORMAT_VOID:
            return layout.bits == 8    ? load<std::uint8_t>
                   : layout.bits == 16 ? load<std::uint16_t>
                   : layout.bits == 32 ? load<std::uint32_t>
                                       : nullptr;
        case SAMPLEFORMAT_INT:
            return layout.bits == 8    ? load<std::int8_t>
                   : layout.bits == 16 ? load<std::int16_t>
                   : layout.bits == 32 ? load<std::int32_t>
                                       : nullptr;
        case SAMPLEFORMAT_IEEEFP:
            return layout.bits == 32 ? load<float> : layout.bits == 64 ? load<double> : nullptr;
        default:
            return nullptr;
    }
}

class TiffReader final : public ImageReader {
  public:
    explicit TiffReader(const fs::path& path) : name_(fmt::format("'{}'", path.string())), file_(path) {
        if (file_.bytes().empty()) throw FileError(fmt::format("image {} is an empty file", name_));
        TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
        TIFFOpenOptionsSetErrorHandlerExtR(options, remember_error, &error_);
        TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_warning, nullptr);
        tiff_.reset(TIFFOpenExt(path.c_str(), "r", options));
        TIFFOpenOptionsFree(options);
        if (!tiff_) throw_broken();
        do {
            check_directory_is_whole();
            ++n_frames_;
        } while (TIFFReadDirectory(tiff_.get()) != 0);
        if (!error_.empty()) throw_broken();
    }
    int n_frames() const override { return n_frames_; }
    Pixels read(int frame) override;
    std::optional<double> pixel_size_angstrom(int frame) override;

  private:
    struct Close {
        void operator()(TIFF* tiff) const { TIFFClose(tiff); }
    };

    [[noreturn]] void throw_broken() const {
        throw FileError(fmt::format("image {} is a truncated or damaged TIFF file: {}", name_,
                                    error_.empty() ? "unreadable data" : error_));
    }
    /// libtiff takes a directory without its link to the next one for the last.
    void check_directory_is_whole() const {
        const Bytes bytes = file_.bytes();
        const bool big_endian = TIFFIsBigEndian(tiff_.get()) != 0;
        const std::uint64_t start = TIFFCurrentDirOffset(tiff_.get());
        const auto number = [&](std::uint64_t at, unsigned size) {
            std::uint64_t value = 0;
            for (unsigned i = 0; i < size; ++i)
                value = (value << 8) | bytes[at + (big_endian ? i : size - 1 - i)];
            return value;
        };
        const bool wide = number(2, 2) == 43;  // BigTIFF
        const std::uint64_t count = number(start, wide ? 8 : 2);
        const std::uint64_t length = wide ? 8 + 20 * count + 8 : 2 + 12 * count + 4;
        if (start + length > bytes.size())
            throw FileError(fmt::format("image {} is truncated: its last page has no end", name_));
    }
    void go_to(int frame) {
        if (TIFFSetDirectory(tiff_.get(), static_cast<tdir_t>(frame)) == 0) throw_broken();
    }
    Layout layout() const;
    /// Calls store(row, column, samples of `layout.samples` or of one plane, plane) for every pixel.
    template <class Store>
    void for_each_pixel(const Layout& layout, const Store& store);

    std::string name_;
    std::string error_;
    MappedFile file_;
    std::unique_ptr<TIFF, Close> tiff_;
    int n_frames_ = 0;
};

Layout TiffReader::layout() const {
    Layout result;
    TIFF* tiff = tiff_.get();
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &result.width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &result.height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &result.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &result.samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &result.format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &result.planar);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &result.photometric);
    check_shape({result.height, result.width}, name_);
    std::uint16_t compression = COMPRESSION_NONE;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    if (compression == COMPRESSION_JPEG && result.photometric == PHOTOMETRIC_YCBCR) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        result.photometric = PHOTOMETRIC_RGB;
    }
    const bool known = result.photometric == PHOTOMETRIC_MINISBLACK ||
                       result.photometric == PHOTOMETRIC_MINISWHITE ||
                       result.photometric == PHOTOMETRIC_RGB || result.photometric == PHOTOMETRIC_PALETTE;
    if (loader(result) == nullptr || !known || result.samples == 0 || TIFFIsCODECConfigured(compression) == 0)
        throw InputError(
            fmt::format("image {}: {} bits per sample, sample format {}, colour model {}, compression {} is "
                        "not accepted; accepted: grey, RGB or palette, integers of 8, 16 or 32 bits, "
                        "floating point of 32 or 64 bits",
                        name_, result.bits, result.format, result.photometric, compression));
    return result;
}

template <class Store>
void TiffReader::for_each_pixel(const Layout& layout, const Store& store) {
    TIFF* tiff = tiff_.get();
    const bool separate = layout.planar == PLANARCONFIG_SEPARATE;
    const std::uint16_t planes = separate ? (layout.colour() ? 3 : 1) : 1;
    const std::size_t pixel_bytes = layout.bytes() * (separate ? 1 : layout.samples);
    std::uint32_t block_width = layout.width;
    std::uint32_t block_height = 1;
    const bool tiled = TIFFIsTiled(tiff) != 0;
    if (tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &block_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &block_height);
        if (block_width == 0 || block_height == 0 || std::uint64_t{block_width} * block_height > most_pixels)
            throw_broken();
    }
    const auto block_bytes =
        static_cast<std::uint64_t>(tiled ? TIFFTileSize64(tiff) : TIFFScanlineSize64(tiff));
    if (block_bytes != std::uint64_t{block_width} * block_height * pixel_bytes) throw_broken();
    std::vector<std::uint8_t> block(block_bytes);
    for (std::uint16_t plane = 0; plane < planes; ++plane) {
        for (std::uint32_t top = 0; top < layout.height; top += block_height) {
            for (std::uint32_t left = 0; left < layout.width; left += block_width) {
                const tmsize_t status = tiled ? TIFFReadTile(tiff, block.data(), left, top, 0, plane)
                                              : TIFFReadScanline(tiff, block.data(), top, plane);
                if (status < 0) throw_broken();
                const std::uint32_t bottom = std::min(top + block_height, layout.height);
                const std::uint32_t right = std::min(left + block_width, layout.width);
                for (std::uint32_t row = top; row < bottom; ++row) {
                    const std::size_t line = std::size_t{row - top} * block_width;
                    for (std::uint32_t column = left; column < right; ++column)
                        store(row, column, block.data() + (line + column - left) * pixel_bytes, plane);
                }
            }
        }
    }
}

Pixels TiffReader::read(int frame) {
    go_to(frame);
    const Layout page = layout();
    const Load sample = loader(page);
    const std::size_t bytes = page.bytes();
    Pixels pixels = Pixels::Zero(page.height, page.width);
    if (page.photometric == PHOTOMETRIC_PALETTE) {
        std::uint16_t* red = nullptr;
        std::uint16_t* green = nullptr;
        std::uint16_t* blue = nullptr;
        if (page.bits > 16 || page.format != SAMPLEFORMAT_UINT ||
            TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &red, &green, &blue) == 0)
            throw_broken();
        // The map's 65535 is white; 257 brings it to the 255 of 8-bit pixels.
        for_each_pixel(page, [&](auto row, auto column, const std::uint8_t* data, auto) {
            const auto i = static_cast<std::size_t>(sample(data));
            pixels(row, column) = static_cast<float>(luminance(red[i], green[i], blue[i]) / 257);
        });
    } else if (page.colour() && page.planar == PLANARCONFIG_SEPARATE) {
        const std::array<double, 3> weight = {luminance(1, 0, 0), luminance(0, 1, 0), luminance(0, 0, 1)};
        for_each_pixel(page, [&](auto row, auto column, const std::uint8_t* data, auto plane) {
            pixels(row, column) += static_cast<float>(weight[plane] * sample(data));
        });
    } else if (page.colour()) {
        for_each_pixel(page, [&](auto row, auto column, const std::uint8_t* data, auto) {
            pixels(row, column) =
                static_cast<float>(luminance(sample(data), sample(data + bytes), sample(data + 2 * bytes)));
        });
    } else {
        // Where 0 is white, unsigned samples are turned around inside their range.
        const bool inverted = page.photometric == PHOTOMETRIC_MINISWHITE;
        const double white =
            inverted && page.format == SAMPLEFORMAT_UINT ? std::ldexp(1.0, page.bits) - 1 : 0;
        for_each_pixel(page, [&](auto row, auto column, const std::uint8_t* data, auto) {
            pixels(row, column) = static_cast<float>(inverted ? white - sample(data) : sample(data));
        });
    }
    return pixels;
}

std::optional<double> TiffReader::pixel_size_angstrom(int frame) {
    go_to(frame);
    TIFF* tiff = tiff_.get();
    float x = 0;  // pixels per unit
    float y = 0;
    std::uint16_t unit = RESUNIT_INCH;
    if (TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &x) == 0 ||
        TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &y) == 0 || !(x > 0) || !(y > 0) || !std::isfinite(x) ||
        !std::isfinite(y))
        return std::nullopt;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    std::optional<double> unit_angstrom;
    const char* description = nullptr;
    if (TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &description) != 0 && description != nullptr &&
        std::strncmp(description, "ImageJ=", 7) == 0) {
        // ImageJ names the unit in its description: lines "key=value".
        const char* line = std::strstr(description, "\nunit=");
        if (line != nullptr)
            unit_angstrom = angstrom_per(std::string(line + 6, std::strcspn(line + 6, "\r\n")));
    } else if (unit == RESUNIT_CENTIMETER) {
        unit_angstrom = 1e8;
    } else if (unit == RESUNIT_INCH) {
        unit_angstrom = 2.54e8;
    }
    constexpr double print_resolution = 1e4;  // angstrom per pixel and above: dots on paper, not a micrograph
    if (!unit_angstrom || *unit_angstrom / x >= print_resolution || std::abs(x - y) > 0.01 * x)
        return std::nullopt;
    return *unit_angstrom / x;
}

}  // namespace

std::unique_ptr<ImageReader> open_tiff(const fs::path& path) {
    return std::make_unique<TiffReader>(path);
}

}  // namespace stembridge::io

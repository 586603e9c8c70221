// SPDX-License-Identifier: Apache-2.0
// libpng leaves an error by longjmp: the functions that call setjmp hold no objects, everything lives in a
// struct of their caller.
#include <fmt/format.h>
#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstring>

#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

void remember_error(png_structp png, png_const_charp message) {
    *static_cast<std::string*>(png_get_error_ptr(png)) = message;
    png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

struct Decoder {
    Bytes file;
    std::size_t position = 0;
    std::string error;
    png_structp png = nullptr;
    png_infop info = nullptr;
    std::uint64_t width = 0;
    std::uint64_t height = 0;
    int channels = 0;
    int depth = 0;
    std::vector<std::uint8_t> data;
    std::vector<png_bytep> rows;

    ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

void read_bytes(png_structp png, png_bytep out, png_size_t length) {
    auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
    if (length > decoder->file.size() - decoder->position) png_error(png, "the file is truncated");
    std::memcpy(out, decoder->file.data() + decoder->position, length);
    decoder->position += length;
}

bool read_header(Decoder& decoder) {
    if (setjmp(png_jmpbuf(decoder.png))) return false;
    png_set_read_fn(decoder.png, &decoder, read_bytes);
    png_set_crc_action(decoder.png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    png_read_info(decoder.png, decoder.info);
    if (png_get_color_type(decoder.png, decoder.info) == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(decoder.png);
    if (png_get_color_type(decoder.png, decoder.info) == PNG_COLOR_TYPE_GRAY)
        png_set_expand_gray_1_2_4_to_8(decoder.png);
    png_set_strip_alpha(decoder.png);
    if (std::endian::native == std::endian::little) png_set_swap(decoder.png);
    png_set_interlace_handling(decoder.png);
    png_read_update_info(decoder.png, decoder.info);
    decoder.width = png_get_image_width(decoder.png, decoder.info);
    decoder.height = png_get_image_height(decoder.png, decoder.info);
    decoder.channels = png_get_channels(decoder.png, decoder.info);
    decoder.depth = png_get_bit_depth(decoder.png, decoder.info);
    return true;
}

bool read_pixels(Decoder& decoder) {
    if (setjmp(png_jmpbuf(decoder.png))) return false;
    png_read_image(decoder.png, decoder.rows.data());
    png_read_end(decoder.png, nullptr);
    return true;
}

double sample(const Decoder& decoder, const std::uint8_t* row, std::size_t index) {
    if (decoder.depth != 16) return row[index];
    std::uint16_t value = 0;
    std::memcpy(&value, row + 2 * index, 2);
    return value;
}

class PngReader final : public ImageReader {
  public:
    explicit PngReader(const fs::path& path) : file_(path) {
        Decoder decoder;
        decoder.file = file_.bytes();
        if (decoder.file.empty()) throw FileError(fmt::format("image '{}' is an empty file", path.string()));
        if (png_sig_cmp(decoder.file.data(), 0, std::min<std::size_t>(8, decoder.file.size())) != 0)
            throw FileError(fmt::format("image '{}' is not a PNG file", path.string()));
        decoder.png =
            png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder.error, remember_error, ignore_warning);
        decoder.info = decoder.png == nullptr ? nullptr : png_create_info_struct(decoder.png);
        if (decoder.info == nullptr) throw BackendError("libpng cannot start");
        const auto throw_broken = [&] {
            throw FileError(
                fmt::format("image '{}' is a damaged PNG file: {}", path.string(), decoder.error));
        };
        if (!read_header(decoder)) throw_broken();
        check_shape({decoder.height, decoder.width}, fmt::format("'{}'", path.string()));
        const std::size_t row_bytes = png_get_rowbytes(decoder.png, decoder.info);
        // The smallest pixel has 1 bit, a 24th of what it may become.
        if (decoder.height * row_bytes / (24 * most_deflated) > decoder.file.size()) {
            decoder.error = "its size does not fit its data (truncated?)";
            throw_broken();
        }
        decoder.data.resize(decoder.height * row_bytes);
        for (std::size_t y = 0; y < decoder.height; ++y)
            decoder.rows.push_back(decoder.data.data() + y * row_bytes);
        if (!read_pixels(decoder)) throw_broken();

        pixels_.resize(static_cast<Eigen::Index>(decoder.height), static_cast<Eigen::Index>(decoder.width));
        float* out = pixels_.data();
        for (const std::uint8_t* row : decoder.rows) {
            for (std::size_t x = 0; x < decoder.width; ++x) {
                const std::size_t i = x * static_cast<std::size_t>(decoder.channels);
                *out++ = static_cast<float>(decoder.channels < 3 ? sample(decoder, row, i)
                                                                 : luminance(sample(decoder, row, i),
                                                                             sample(decoder, row, i + 1),
                                                                             sample(decoder, row, i + 2)));
            }
        }
    }
    int n_frames() const override { return 1; }
    Pixels read(int) override { return pixels_; }
    std::optional<double> pixel_size_angstrom(int) override { return std::nullopt; }

  private:
    MappedFile file_;
    Pixels pixels_;
};

struct Encoder {
    const Bitmap* bitmap = nullptr;
    std::string error;
    png_structp png = nullptr;
    png_infop info = nullptr;
    std::vector<std::uint8_t> file;

    ~Encoder() { png_destroy_write_struct(&png, &info); }
};

void append_bytes(png_structp png, png_bytep data, png_size_t length) {
    auto* encoder = static_cast<Encoder*>(png_get_io_ptr(png));
    encoder->file.insert(encoder->file.end(), data, data + length);
}

bool write_bitmap(Encoder& encoder) {
    if (setjmp(png_jmpbuf(encoder.png))) return false;
    png_set_write_fn(encoder.png, &encoder, append_bytes, nullptr);
    const Bitmap& bitmap = *encoder.bitmap;
    png_set_IHDR(encoder.png, encoder.info, static_cast<png_uint_32>(bitmap.width),
                 static_cast<png_uint_32>(bitmap.height), 8,
                 bitmap.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(encoder.png, encoder.info);
    const std::size_t row_bytes =
        static_cast<std::size_t>(bitmap.width) * static_cast<std::size_t>(bitmap.channels);
    for (int y = 0; y < bitmap.height; ++y)
        png_write_row(encoder.png, bitmap.bytes.data() + static_cast<std::size_t>(y) * row_bytes);
    png_write_end(encoder.png, encoder.info);
    return true;
}

}  // namespace

std::unique_ptr<ImageReader> open_png(const fs::path& path) {
    return std::make_unique<PngReader>(path);
}

std::vector<std::uint8_t> encode_png(const Bitmap& bitmap) {
    if ((bitmap.channels != 1 && bitmap.channels != 3) || bitmap.width <= 0 || bitmap.height <= 0 ||
        bitmap.bytes.size() != static_cast<std::size_t>(bitmap.width) *
                                   static_cast<std::size_t>(bitmap.height) *
                                   static_cast<std::size_t>(bitmap.channels))
        throw std::logic_error("encode_png: the bitmap's sizes do not fit");
    Encoder encoder;
    encoder.bitmap = &bitmap;
    encoder.png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder.error, remember_error, ignore_warning);
    encoder.info = encoder.png == nullptr ? nullptr : png_create_info_struct(encoder.png);
    if (encoder.info == nullptr) throw BackendError("libpng cannot start");
    if (!write_bitmap(encoder)) throw BackendError("libpng cannot write: " + encoder.error);
    return std::move(encoder.file);
}

void write_png8(const fs::path& path, const Bitmap& bitmap) {
    write_atomically(path, encode_png(bitmap));
}

}  // namespace stembridge::io

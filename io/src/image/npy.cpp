// SPDX-License-Identifier: Apache-2.0
// Format: NumPy Enhancement Proposal 1 and numpy.lib.format.
#include "image/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/image_file.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

template <class T>
double load(const std::uint8_t* bytes, bool swapped) {
    std::array<std::uint8_t, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes, sizeof(T));
    if (swapped) std::reverse(raw.begin(), raw.end());
    return static_cast<double>(std::bit_cast<T>(raw));
}

using Load = double (*)(const std::uint8_t*, bool);

/// How to read one item, or nullptr when such items cannot be pixels.
Load loader(char kind, std::size_t size) {
    switch (kind) {
        case 'f':
            return size == 4 ? load<float> : size == 8 ? load<double> : nullptr;
        case 'b':
            return size == 1 ? load<std::uint8_t> : nullptr;
        case 'u':
            return size == 1   ? load<std::uint8_t>
                   : size == 2 ? load<std::uint16_t>
                   : size == 4 ? load<std::uint32_t>
                   : size == 8 ? load<std::uint64_t>
                               : nullptr;
        case 'i':
            return size == 1   ? load<std::int8_t>
                   : size == 2 ? load<std::int16_t>
                   : size == 4 ? load<std::int32_t>
                   : size == 8 ? load<std::int64_t>
                               : nullptr;
        default:
            return nullptr;
    }
}

/// The text of a value in the header's Python dictionary: what stands between "'key':" and the end of the
/// value.
std::string_view header_value(std::string_view header, std::string_view key, const std::string& name) {
    auto at = header.find(fmt::format("'{}'", key));
    if (at == std::string_view::npos) at = header.find(fmt::format("\"{}\"", key));
    if (at == std::string_view::npos)
        throw FileError(fmt::format("image {}: header without '{}'", name, key));
    header.remove_prefix(at + key.size() + 2);
    const auto begin = header.find_first_not_of(": ");
    if (begin == std::string_view::npos)
        throw FileError(fmt::format("image {}: header without '{}'", name, key));
    header.remove_prefix(begin);
    const auto end = header.front() == '(' ? header.find(')') : header.find_first_of(",}");
    if (end == std::string_view::npos)
        throw FileError(fmt::format("image {}: header cut off at '{}'", name, key));
    return header.substr(0, end);
}

std::vector<std::uint64_t> parse_shape(std::string_view text, const std::string& name) {
    std::vector<std::uint64_t> shape;
    const char* at = text.data();
    const char* end = at + text.size();
    while (at != end) {
        if (*at == '(' || *at == ' ' || *at == ',' || *at == 'L') {
            ++at;
            continue;
        }
        std::uint64_t length = 0;
        const auto [next, status] = std::from_chars(at, end, length);
        if (status != std::errc{})
            throw FileError(fmt::format("image {}: header has a malformed shape", name));
        shape.push_back(length);
        at = next;
    }
    return shape;
}

class NpyReader final : public ImageReader {
  public:
    explicit NpyReader(const fs::path& path)
        : file_(path), array_(file_.bytes(), fmt::format("'{}'", path.string())) {
        check_shape(array_.shape(), fmt::format("'{}'", path.string()));
    }
    int n_frames() const override {
        return array_.shape().size() == 3 ? static_cast<int>(array_.shape().front()) : 1;
    }
    Pixels read(int frame) override { return array_.frame(frame); }
    std::optional<double> pixel_size_angstrom(int) override { return std::nullopt; }

  private:
    MappedFile file_;
    NpyArray array_;
};

}  // namespace

NpyArray::NpyArray(Bytes file, const std::string& name) {
    if (file.empty()) throw FileError(fmt::format("image {} is an empty file", name));
    if (file.size() < 10 || std::memcmp(file.data(), "\x93NUMPY", 6) != 0)
        throw FileError(
            fmt::format("image {} is not a NumPy array: it does not begin with the .npy signature", name));
    const bool long_header = file[6] >= 2;
    const std::size_t start = long_header ? 12 : 10;
    std::size_t length = file[8] + 256U * file[9];
    if (long_header && file.size() >= start)
        length += (std::size_t{file[10]} << 16) + (std::size_t{file[11]} << 24);
    if (file[6] < 1 || file[6] > 3)
        throw FileError(
            fmt::format("image {}: .npy version {} is unknown; accepted: 1, 2, 3", name, file[6]));
    if (file.size() < start || file.size() - start < length)
        throw FileError(fmt::format("image {} is truncated inside its header", name));
    const std::string_view header(reinterpret_cast<const char*>(file.data()) + start, length);

    const std::string_view type = header_value(header, "descr", name);
    if (type.size() < 5 || type.front() == '[')
        throw InputError(fmt::format("image {} holds items of type {}; accepted: integers and floating point",
                                     name, type));
    kind_ = type[2];
    const std::string_view digits = type.substr(3, type.size() - 4);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), item_size_).ec != std::errc{} ||
        loader(kind_, item_size_) == nullptr)
        throw InputError(
            fmt::format("image {} holds items of type {}; accepted: bool, integers of 1 to 8 bytes, "
                        "floating point of 4 or 8 bytes",
                        name, type));
    swapped_ = type[1] == (std::endian::native == std::endian::little ? '>' : '<');
    column_major_ = header_value(header, "fortran_order", name) == "True";
    shape_ = parse_shape(header_value(header, "shape", name), name);

    items_ = file.subspan(start + length);
    std::uint64_t available = items_.size() / item_size_;
    for (const std::uint64_t n : shape_) {
        if (n == 0) return;
        available /= n;
    }
    if (available == 0)
        throw FileError(
            fmt::format("image {} is truncated: shape {} needs more than the {} bytes that follow the header",
                        name, shape_text(shape_), items_.size()));
}

Pixels NpyArray::frame(int index) const {
    const std::size_t rows = shape_[shape_.size() - 2];
    const std::size_t columns = shape_.back();
    const std::size_t frames = shape_.size() == 3 ? shape_[0] : 1;
    const auto f = static_cast<std::size_t>(index);
    const Load item = loader(kind_, item_size_);
    Pixels pixels(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
    float* out = pixels.data();
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            const std::size_t at =
                column_major_ ? f + frames * (row + rows * column) : (f * rows + row) * columns + column;
            *out++ = static_cast<float>(item(items_.data() + at * item_size_, swapped_));
        }
    }
    return pixels;
}

std::unique_ptr<ImageReader> open_npy(const fs::path& path) {
    return std::make_unique<NpyReader>(path);
}

namespace {

void write_array(const fs::path& path, const std::vector<Pixels>& stack, const std::string& shape) {
    std::string header = fmt::format("{{'descr': '{}f4', 'fortran_order': False, 'shape': ({}), }}",
                                     std::endian::native == std::endian::little ? '<' : '>', shape);
    // The items begin at a multiple of 64 bytes.
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::string file = "\x93NUMPY";
    file += {'\x01', '\x00', static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
    file += header;
    for (const Pixels& pixels : stack)
        file.append(reinterpret_cast<const char*>(pixels.data()),
                    sizeof(float) * static_cast<std::size_t>(pixels.size()));
    write_atomically(path, as_bytes(file));
}

}  // namespace

void write_npy(const fs::path& path, const Pixels& pixels) {
    write_array(path, {pixels}, fmt::format("{}, {}", pixels.rows(), pixels.cols()));
}

void write_npy(const fs::path& path, const std::vector<Pixels>& stack) {
    const Eigen::Index rows = stack.empty() ? 0 : stack.front().rows();
    const Eigen::Index columns = stack.empty() ? 0 : stack.front().cols();
    for (const Pixels& pixels : stack)
        if (pixels.rows() != rows || pixels.cols() != columns)
            throw std::logic_error("write_npy: frames of different sizes");
    write_array(path, stack, fmt::format("{}, {}, {}", stack.size(), rows, columns));
}

}  // namespace stembridge::io

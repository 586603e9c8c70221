// SPDX-License-Identifier: Apache-2.0
#include "image_builders.hpp"

#include <zlib.h>

namespace stembridge::testing {
namespace {

std::string deflated_with(const std::string& data, int window_bits) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

std::uint32_t checksum(const std::string& data) {
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

}  // namespace

bool is_counted(const Image& image, int rows, int columns, int first) {
    if (image.height() != rows || image.width() != columns) return false;
    for (int i = 0; i < rows * columns; ++i)
        if (image.pixels.data()[i] != static_cast<float>(first + i)) return false;
    return true;
}

std::string npy_file(const std::string& descr, const std::string& shape, const std::string& items,
                     bool column_major, int version) {
    const std::string header = "{'descr': '" + descr +
                               "', 'fortran_order': " + (column_major ? "True" : "False") + ", 'shape': (" +
                               shape + "), }\n";
    std::string file = "\x93NUMPY";
    file += {static_cast<char>(version), '\0'};
    file += version == 1 ? bytes_of(static_cast<std::uint16_t>(header.size()))
                         : bytes_of(static_cast<std::uint32_t>(header.size()));
    return file + header + items;
}

std::string zip_file(const std::vector<std::pair<std::string, std::string>>& members, bool deflated) {
    using u16 = std::uint16_t;
    using u32 = std::uint32_t;
    std::string file;
    std::string contents;
    for (const auto& [name, data] : members) {
        const std::string packed = deflated ? deflated_with(data, -MAX_WBITS) : data;
        const std::string common = bytes_of<u16>(20) + bytes_of<u16>(0) + bytes_of<u16>(deflated ? 8 : 0) +
                                   bytes_of<u32>(0) + bytes_of<u32>(checksum(data)) +
                                   bytes_of(static_cast<u32>(packed.size())) +
                                   bytes_of(static_cast<u32>(data.size())) +
                                   bytes_of(static_cast<u16>(name.size())) + bytes_of<u16>(0);
        contents += bytes_of<u32>(0x02014b50) + bytes_of<u16>(20) + common + bytes_of<u16>(0) +
                    bytes_of<u16>(0) + bytes_of<u16>(0) + bytes_of<u32>(0) +
                    bytes_of(static_cast<u32>(file.size())) + name;
        file += bytes_of<u32>(0x04034b50) + common + name + packed;
    }
    const auto count = bytes_of(static_cast<u16>(members.size()));
    const std::string end = bytes_of<u32>(0x06054b50) + bytes_of<u32>(0) + count + count +
                            bytes_of(static_cast<u32>(contents.size())) +
                            bytes_of(static_cast<u32>(file.size())) + bytes_of<u16>(0);
    return file + contents + end;
}

std::string png_file(std::uint32_t width, std::uint32_t height, int depth, int colour_type,
                     const std::vector<std::string>& rows, const std::string& palette) {
    std::string file = "\x89PNG\r\n\x1a\n";
    const auto chunk = [&](const std::string& type, const std::string& data) {
        file += bytes_of(static_cast<std::uint32_t>(data.size()), true) + type + data +
                bytes_of(checksum(type + data), true);
    };
    std::string header = bytes_of(width, true) + bytes_of(height, true);
    header += {static_cast<char>(depth), static_cast<char>(colour_type), '\0', '\0', '\0'};
    chunk("IHDR", header);
    if (!palette.empty()) chunk("PLTE", palette);
    std::string raw;
    for (const std::string& row : rows) raw += '\0' + row;
    chunk("IDAT", deflated_with(raw, MAX_WBITS));
    chunk("IEND", "");
    return file;
}

std::string tiff_file(const std::vector<TiffPage>& pages, bool big_endian) {
    const auto u16 = [&](std::size_t v) { return bytes_of(static_cast<std::uint16_t>(v), big_endian); };
    const auto u32 = [&](std::size_t v) { return bytes_of(static_cast<std::uint32_t>(v), big_endian); };
    std::string file = (big_endian ? "MM" : "II") + u16(42) + u32(0);
    std::size_t link = 4;  // where the offset of the next directory belongs
    for (const TiffPage& page : pages) {
        const std::size_t data = file.size();
        file += page.data;
        if (file.size() % 2 != 0) file += '\0';
        const std::size_t description = file.size();
        file += page.description + '\0';
        if (file.size() % 2 != 0) file += '\0';
        const std::size_t resolution = file.size();
        file += u32(page.pixels_per_million_units) + u32(1'000'000);
        const std::size_t bits = file.size();
        for (int i = 0; i < page.samples; ++i) file += u16(page.bits);

        std::string entries;
        std::size_t count = 0;
        const auto entry = [&](std::size_t tag, std::size_t type, std::size_t n, const std::string& value) {
            entries += u16(tag) + u16(type) + u32(n) + value + std::string(4 - value.size(), '\0');
            ++count;
        };
        entry(256, 3, 1, u16(page.width));
        entry(257, 3, 1, u16(page.height));
        if (page.samples == 1)
            entry(258, 3, 1, u16(page.bits));
        else
            entry(258, 3, page.samples, u32(bits));
        entry(259, 3, 1, u16(1));
        entry(262, 3, 1, u16(page.photometric));
        if (!page.description.empty()) entry(270, 2, page.description.size() + 1, u32(description));
        entry(273, 4, 1, u32(data));
        entry(277, 3, 1, u16(page.samples));
        entry(278, 3, 1, u16(page.height));
        entry(279, 4, 1, u32(page.data.size()));
        if (page.pixels_per_million_units != 0) {
            entry(282, 5, 1, u32(resolution));
            entry(283, 5, 1, u32(resolution));
            entry(296, 3, 1, u16(page.resolution_unit));
        }
        entry(339, 3, 1, u16(page.format));
        file.replace(link, 4, u32(file.size()));
        file += u16(count) + entries;
        link = file.size();
        file += u32(0);
    }
    return file;
}

}  // namespace stembridge::testing

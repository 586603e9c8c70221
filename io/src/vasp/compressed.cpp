// SPDX-License-Identifier: Apache-2.0
#include "vasp/compressed.hpp"

#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace stembridge::io {
namespace {

// A file of repeated bytes grows a thousandfold: more than this is no output of VASP.
constexpr std::size_t largest_text = std::size_t{8} << 30U;
constexpr std::size_t chunk_size = std::size_t{1} << 18U;
constexpr std::uint64_t largest_dictionary = std::uint64_t{256} << 20U;
constexpr const char* too_large = "holds more than 8 GiB after decompression";

Decompressed inflate_gzip(std::string_view data) {
    Decompressed result;
    z_stream stream{};
    if (::inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        result.damage = "zlib cannot be started";
        return result;
    }
    std::vector<unsigned char> chunk(chunk_size);
    std::size_t given = 0;
    while (true) {
        if (stream.avail_in == 0) {
            const std::size_t n =
                std::min<std::size_t>(data.size() - given, std::numeric_limits<uInt>::max());
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data() + given));
            stream.avail_in = static_cast<uInt>(n);
            given += n;
        }
        stream.next_out = chunk.data();
        stream.avail_out = static_cast<uInt>(chunk.size());
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        result.text.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - stream.avail_out);
        const bool all_given = stream.avail_in == 0 && given == data.size();
        if (result.text.size() > largest_text) {
            result.damage = too_large;
            break;
        }
        if (status == Z_STREAM_END) {
            if (all_given) break;
            ::inflateReset(&stream);  // another member follows
        } else if (status == Z_BUF_ERROR || (status == Z_OK && all_given && stream.avail_out != 0)) {
            result.cut = true;
            break;
        } else if (status != Z_OK) {
            result.damage = fmt::format("the gzip data are damaged ({})",
                                        stream.msg != nullptr ? stream.msg : "unknown reason");
            break;
        }
    }
    ::inflateEnd(&stream);
    return result;
}

Decompressed decode_xz(std::string_view data) {
    Decompressed result;
    lzma_stream stream = LZMA_STREAM_INIT;
    if (::lzma_stream_decoder(&stream, largest_dictionary, LZMA_CONCATENATED) != LZMA_OK) {
        result.damage = "liblzma cannot be started";
        return result;
    }
    std::vector<std::uint8_t> chunk(chunk_size);
    stream.next_in = reinterpret_cast<const std::uint8_t*>(data.data());
    stream.avail_in = data.size();
    while (true) {
        stream.next_out = chunk.data();
        stream.avail_out = chunk.size();
        const lzma_ret status = ::lzma_code(&stream, LZMA_FINISH);
        result.text.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - stream.avail_out);
        if (status == LZMA_STREAM_END) break;
        if (result.text.size() > largest_text) {
            result.damage = too_large;
            break;
        }
        if (status == LZMA_BUF_ERROR) {
            result.cut = true;
            break;
        }
        if (status != LZMA_OK) {
            result.damage =
                fmt::format("the xz data are damaged (liblzma error {})", static_cast<int>(status));
            break;
        }
    }
    ::lzma_end(&stream);
    return result;
}

}  // namespace

Decompressed decompress(std::string_view data) {
    if (data.starts_with("\x1f\x8b")) return inflate_gzip(data);
    if (data.starts_with(std::string_view("\xfd"
                                          "7zXZ\0",
                                          6)))
        return decode_xz(data);
    return {std::string(data), false, ""};
}

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
#include "picture.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "stembridge/io/image_file.hpp"

namespace stembridge::io {
namespace {

std::string base64(const std::vector<std::uint8_t>& bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero byte
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

// Means over blocks of `factor` x `factor` pixels; what is left over at the far edges goes into the last
// blocks.
Pixels averaged(const Pixels& pixels, int factor) {
    if (factor <= 1) return pixels;
    Pixels means(std::max<Eigen::Index>(1, pixels.rows() / factor),
                 std::max<Eigen::Index>(1, pixels.cols() / factor));
    const auto range = [factor](Eigen::Index k, Eigen::Index n_blocks, Eigen::Index n) {
        return std::pair(k * factor, k + 1 == n_blocks ? n : (k + 1) * factor);
    };
    for (Eigen::Index r = 0; r < means.rows(); ++r)
        for (Eigen::Index c = 0; c < means.cols(); ++c) {
            const auto [top, bottom] = range(r, means.rows(), pixels.rows());
            const auto [left, right] = range(c, means.cols(), pixels.cols());
            means(r, c) = pixels.block(top, left, bottom - top, right - left).mean();
        }
    return means;
}

}  // namespace

std::string picture_link(const Pixels& pixels, const Contrast& contrast, int longest_side_px) {
    const auto longest = static_cast<int>(std::max(pixels.rows(), pixels.cols()));
    const int factor = (longest + longest_side_px - 1) / std::max(longest_side_px, 1);
    return "data:image/png;base64," + base64(encode_png(to_bitmap(averaged(pixels, factor), contrast)));
}

}  // namespace stembridge::io

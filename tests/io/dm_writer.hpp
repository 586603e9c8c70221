// SPDX-License-Identifier: Apache-2.0
// Gatan's .dm3 and .dm4 files made byte by byte, independent of the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/image_builders.hpp"

namespace stembridge::testing {

/// Writes tags of version 3 or 4 in either order of bytes.
struct DmWriter {
    int version = 3;
    bool big = false;

    std::string length(std::uint64_t n) const {
        return version == 3 ? bytes_of(static_cast<std::uint32_t>(n), true) : bytes_of(n, true);
    }
    std::string tag(char type, const std::string& name, const std::string& content) const {
        return std::string(1, type) + bytes_of(static_cast<std::uint16_t>(name.size()), true) + name +
               (version == 4 ? length(content.size()) : "") + content;
    }
    std::string value(const std::string& name, const std::vector<std::uint64_t>& description,
                      const std::string& data) const {
        std::string content = "%%%%" + length(description.size());
        for (const auto word : description) content += length(word);
        return tag(21, name, content + data);
    }
    std::string content(const std::vector<std::string>& tags) const {
        std::string all = std::string("\1\0", 2) + length(tags.size());
        for (const auto& t : tags) all += t;
        return all;
    }
    std::string group(const std::string& name, const std::vector<std::string>& tags) const {
        return tag(20, name, content(tags));
    }
    std::string uint32(const std::string& name, std::uint32_t v) const {
        return value(name, {5}, bytes_of(v, big));
    }
    std::string float32(const std::string& name, float v) const { return value(name, {6}, bytes_of(v, big)); }
    std::string text(const std::string& name, const std::u16string& characters) const {
        std::string data;
        for (const char16_t c : characters) data += bytes_of(static_cast<std::uint16_t>(c), big);
        return value(name, {20, 4, characters.size()}, data);
    }
    /// An image with x and y calibrated alike.
    std::string image(const std::u16string& name, std::uint32_t type, std::uint64_t kind,
                      const std::vector<std::uint32_t>& dimensions, const std::string& data, float scale,
                      const std::u16string& unit) const {
        std::uint64_t n = 1;
        std::vector<std::string> sizes, axes;
        for (const auto d : dimensions) {
            n *= d;
            sizes.push_back(uint32("", d));
            axes.push_back(group("", {float32("Origin", 0), float32("Scale", scale), text("Units", unit)}));
        }
        return group(
            "", {group("ImageData",
                       {group("Calibrations", {group("Dimension", axes)}), value("Data", {20, kind, n}, data),
                        uint32("DataType", type), group("Dimensions", sizes), uint32("PixelDepth", 1)}),
                 text("Name", name), value("UniqueID", {15, 0, 2, 0, 5, 0, 5}, std::string(8, 'u'))});
    }
    std::string file(const std::vector<std::string>& tags) const {
        const std::string root = content(tags);
        return bytes_of(static_cast<std::uint32_t>(version), true) + length(root.size()) +
               bytes_of(std::uint32_t{big ? 0U : 1U}, true) + root;
    }
    /// A thumbnail and an image of 3 x 2 counted numbers, the way the microscope's software writes them.
    template <class T>
    std::string usual(std::uint32_t type, std::uint64_t kind, float scale = 0.0104F,
                      const std::u16string& unit = u"nm") const {
        std::string data;
        for (int i = 0; i < 6; ++i) data += bytes_of(static_cast<T>(i), big);
        return file({group("ImageList", {image(u"", 23, 5, {1, 1}, "rgb0", 1, u""),
                                         image(u"HAADF \u00e9", type, kind, {3, 2}, data, scale, unit)}),
                     group("Thumbnails", {group("", {uint32("ImageIndex", 0)})})});
    }
};

}  // namespace stembridge::testing

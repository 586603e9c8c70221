// SPDX-License-Identifier: Apache-2.0
// Gatan's .dm3 and .dm4: a tree of tags, in which ImageList holds the images.
// Format: the community's description of the tag directory; lengths are big-endian, values in the order the
// header names.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

/// Kinds of values, as the file numbers them.
enum Kind : std::uint64_t {
    int16 = 2,
    int32 = 3,
    uint16 = 4,
    uint32 = 5,
    float32 = 6,
    float64 = 7,
    boolean = 8,
    character = 9,
    octet = 10,
    int64 = 11,
    uint64 = 12,
    structure = 15,
    text = 18,
    array = 20
};

/// Bytes of a number, 0 for everything else.
std::uint64_t size_of(std::uint64_t kind) {
    switch (kind) {
        case boolean:
        case character:
        case octet:
            return 1;
        case int16:
        case uint16:
            return 2;
        case int32:
        case uint32:
        case float32:
            return 4;
        case float64:
        case int64:
        case uint64:
            return 8;
        default:
            return 0;
    }
}

/// A number of the given kind at these bytes.
double number_at(const std::uint8_t* bytes, std::uint64_t kind, bool little) {
    const std::uint64_t size = size_of(kind);
    std::uint64_t raw = 0;
    for (std::uint64_t i = 0; i < size; ++i)
        raw |= std::uint64_t{bytes[little ? i : size - 1 - i]} << (8 * i);
    switch (kind) {
        case int16:
            return static_cast<std::int16_t>(raw);
        case int32:
            return static_cast<std::int32_t>(raw);
        case character:
            return static_cast<std::int8_t>(raw);
        case int64:
            return static_cast<double>(static_cast<std::int64_t>(raw));
        case float32:
            return std::bit_cast<float>(static_cast<std::uint32_t>(raw));
        case float64:
            return std::bit_cast<double>(raw);
        default:
            return static_cast<double>(raw);
    }
}

/// A tag: a group of tags, or a value that stays in the file.
struct Tag {
    std::string name;
    std::vector<Tag> tags;
    bool group = false;
    std::uint64_t kind = 0;   ///< of the items; 0 when they are no plain numbers
    std::uint64_t count = 0;  ///< items
    Bytes data;

    const Tag* find(std::string_view wanted) const {
        const auto found =
            std::find_if(tags.begin(), tags.end(), [&](const Tag& tag) { return tag.name == wanted; });
        return found == tags.end() ? nullptr : &*found;
    }
    /// The tag at the end of a path of names, or nullptr.
    const Tag* find(std::initializer_list<std::string_view> path) const {
        const Tag* tag = this;
        for (const std::string_view step : path)
            if (tag == nullptr || (tag = tag->find(step)) == nullptr) return nullptr;
        return tag;
    }
};

class TagParser {
  public:
    TagParser(Bytes bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

    Tag parse() {
        if (bytes_.empty()) throw FileError(fmt::format("image {} is an empty file", name_));
        const std::uint64_t version = big_endian(4);
        if (version != 3 && version != 4)
            throw FileError(fmt::format("image {} is no file of Gatan's: version {} where 3 or 4 is expected",
                                        name_, version));
        wide_ = version == 4;
        length();  // of the whole tree; what counts is where the file ends
        little_ = big_endian(4) == 1;
        Tag root;
        group(root, 0);
        return root;
    }
    bool little() const { return little_; }

  private:
    [[noreturn]] void broken(const char* what) const {
        throw FileError(fmt::format("image {} is not a whole .dm file: {} at byte {}", name_, what, at_));
    }
    Bytes take(std::uint64_t n) {
        if (n > bytes_.size() - at_) broken("it is truncated");
        const Bytes part = bytes_.subspan(at_, n);
        at_ += n;
        return part;
    }
    std::uint64_t big_endian(unsigned size) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(size)) value = value << 8 | byte;
        return value;
    }
    /// Lengths and counts have 4 bytes in version 3, 8 in version 4.
    std::uint64_t length() { return big_endian(wide_ ? 8 : 4); }

    void group(Tag& tag, int depth) {
        constexpr int deepest = 64;
        if (depth > deepest) broken("tags nested too deeply");
        tag.group = true;
        take(2);  // sorted, open
        const std::uint64_t count = length();
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t type = big_endian(1);
            if (type == 0) return;  // the end of the file's tags
            if (type != 20 && type != 21) broken("a tag that is neither group nor value");
            Tag& child = tag.tags.emplace_back();
            const Bytes label = take(big_endian(2));
            child.name.assign(label.begin(), label.end());
            if (wide_) length();
            if (type == 20)
                group(child, depth + 1);
            else
                value(child);
        }
    }

    void value(Tag& tag) {
        const Bytes mark = take(4);
        if (std::memcmp(mark.data(), "%%%%", 4) != 0) broken("a value without its mark");
        std::uint64_t left = length();
        const std::uint64_t size = item(left, tag, 0);
        if (left != 0) broken("a description of a value that is too long");
        tag.data = take(size);
    }
    /// Next word of a value's description, of which `left` remain.
    std::uint64_t word(std::uint64_t& left) {
        if (left-- == 0) broken("a description of a value that is too short");
        return length();
    }
    /// Reads the description of an item. @return its bytes
    std::uint64_t item(std::uint64_t& left, Tag& tag, int depth) {
        const std::uint64_t kind = word(left);
        tag.count = 1;
        tag.kind = size_of(kind) > 0 ? kind : 0;
        if (tag.kind != 0) return size_of(kind);
        if (depth > 4) broken("a value nested too deeply");
        if (kind == structure) {
            word(left);  // length of its name, which is not written
            const std::uint64_t fields = word(left);
            std::uint64_t size = 0;
            for (std::uint64_t i = 0; i < fields; ++i) {
                word(left);
                Tag field;
                size += item(left, field, depth + 1);
                if (size > bytes_.size()) broken("it is truncated");
            }
            tag.kind = 0;
            return size;
        }
        if (kind == text) {
            tag.count = word(left);
            tag.kind = uint16;
            if (tag.count > bytes_.size()) broken("it is truncated");
            return 2 * tag.count;
        }
        if (kind == array) {
            Tag element;
            const std::uint64_t size = item(left, element, depth + 1);
            const std::uint64_t count = word(left);
            if (size > 0 && count > bytes_.size() / size) broken("it is truncated");
            tag.kind = element.kind;
            tag.count = count;
            return size * count;
        }
        broken("a value of unknown kind");
    }

    Bytes bytes_;
    std::string name_;
    std::uint64_t at_ = 0;
    bool wide_ = false;
    bool little_ = true;
};

/// What the numbers of ImageData.DataType stand for, as kinds of values; 0 = cannot be pixels.
std::uint64_t pixel_kind(int data_type) {
    static const std::map<int, std::uint64_t> kinds = {
        {1, int16},   {2, float32},  {6, octet},  {7, int32},  {9, character}, {10, uint16},
        {11, uint32}, {12, float64}, {14, octet}, {39, int64}, {40, uint64}};
    const auto found = kinds.find(data_type);
    return found == kinds.end() ? 0 : found->second;
}
constexpr int packed_colour = 23;  // blue, green, red, unused: one byte each

class DmReader final : public ImageReader {
  public:
    DmReader(const fs::path& path, const std::string& dataset)
        : name_(fmt::format("'{}'", path.string())), file_(path) {
        TagParser parser(file_.bytes(), name_);
        root_ = parser.parse();
        little_ = parser.little();
        choose(dataset);
        measure();
    }
    int n_frames() const override { return static_cast<int>(frames_); }
    std::string dataset() const override { return dataset_; }

    Pixels read(int frame) override {
        Pixels pixels(static_cast<Eigen::Index>(rows_), static_cast<Eigen::Index>(columns_));
        const std::uint64_t n = rows_ * columns_;
        const std::uint8_t* at = data_->data.data() + static_cast<std::uint64_t>(frame) * n * pixel_bytes_;
        for (std::uint64_t i = 0; i < n; ++i, at += pixel_bytes_)
            pixels.data()[i] = static_cast<float>(
                colour_ ? luminance(at[little_ ? 2 : 1], at[little_ ? 1 : 2], at[little_ ? 0 : 3])
                        : number_at(at, kind_, little_));
        return pixels;
    }

    std::optional<double> pixel_size_angstrom(int) override {
        const Tag* axes = image_->find({"ImageData", "Calibrations", "Dimension"});
        if (axes == nullptr || axes->tags.size() < 2) return std::nullopt;
        std::array<double, 2> size{};
        for (std::size_t i = 0; i < 2; ++i) {
            const auto unit = real_space_angstrom(text_of(axes->tags[i].find("Units")), name_);
            const auto scale = number_of(axes->tags[i].find("Scale"));
            if (!unit || !scale || !std::isfinite(*scale) || *scale == 0) return std::nullopt;
            size[i] = *unit * std::abs(*scale);
        }
        if (std::abs(size[0] - size[1]) > 0.01 * size[0]) return std::nullopt;
        return 0.5 * (size[0] + size[1]);
    }

  private:
    std::optional<double> number_of(const Tag* tag) const {
        if (tag == nullptr || tag->kind == 0 || tag->count != 1 || tag->data.empty()) return std::nullopt;
        return number_at(tag->data.data(), tag->kind, little_);
    }
    /// UTF-16 as UTF-8; what is beyond its first 65536 characters becomes '?'.
    std::string text_of(const Tag* tag) const {
        std::string result;
        if (tag == nullptr || tag->kind != uint16) return result;
        constexpr std::uint64_t longest = 1000;
        for (std::uint64_t i = 0; i < std::min(tag->count, longest); ++i) {
            const auto c = static_cast<unsigned>(number_at(tag->data.data() + 2 * i, uint16, little_));
            if (c == 0) break;
            if (c < 0x80) {
                result += static_cast<char>(c);
            } else if (c < 0x800) {
                result += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
            } else if (c >= 0xd800 && c < 0xe000) {
                result += '?';
            } else {
                result += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3f)),
                           static_cast<char>(0x80 | (c & 0x3f))};
            }
        }
        return result;
    }

    /// The image that is asked for by name or number; else the first that is no thumbnail.
    void choose(const std::string& wanted) {
        const Tag* list = root_.find("ImageList");
        if (list == nullptr || list->tags.empty())
            throw InputError(fmt::format("image {} holds no image", name_));
        std::vector<char> thumbnail(list->tags.size(), 0);
        if (const Tag* thumbnails = root_.find("Thumbnails"))
            for (const Tag& entry : thumbnails->tags)
                if (const auto index = number_of(entry.find("ImageIndex")))
                    if (*index >= 0 && *index < static_cast<double>(thumbnail.size()))
                        thumbnail[static_cast<std::size_t>(*index)] = 1;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < list->tags.size(); ++i) {
            std::string name = text_of(list->tags[i].find("Name"));
            if (name.empty()) name = std::to_string(i);
            const bool only = list->tags.size() == 1;
            if (wanted.empty() ? only || thumbnail[i] == 0 : wanted == name || wanted == std::to_string(i)) {
                image_ = &list->tags[i];
                if (!only) dataset_ = name;
                return;
            }
            names.push_back(name);
        }
        throw InputError(
            fmt::format("image {} holds no image '{}'; it has: {}", name_, wanted, fmt::join(names, ", ")));
    }

    void measure() {
        const Tag* image_data = image_->find("ImageData");
        const Tag* sizes = image_->find({"ImageData", "Dimensions"});
        data_ = image_->find({"ImageData", "Data"});
        const auto type = number_of(image_->find({"ImageData", "DataType"}));
        if (image_data == nullptr || sizes == nullptr || data_ == nullptr || !type)
            throw FileError(
                fmt::format("image {}: an image without its data, data type or dimensions", name_));
        std::vector<std::uint64_t> shape;
        for (const Tag& size : sizes->tags) {
            const auto length = number_of(&size);
            if (!length || !(*length >= 0 && *length < 1e15))
                throw FileError(fmt::format("image {}: a dimension that is no number", name_));
            shape.insert(shape.begin(), static_cast<std::uint64_t>(*length));
        }
        while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
        check_shape(shape, name_);
        rows_ = shape[shape.size() - 2];
        columns_ = shape.back();
        frames_ = shape.size() == 3 ? shape.front() : 1;
        kind_ = pixel_kind(static_cast<int>(*type));
        colour_ = static_cast<int>(*type) == packed_colour;
        if (kind_ == 0 && !colour_)
            throw InputError(fmt::format(
                "image {} has pixels of type {}{}; accepted: integers of 1 to 8 bytes, floating point "
                "of 4 or 8 bytes, packed colour",
                name_, *type, *type == 3 || *type == 13 ? " (complex numbers)" : ""));
        pixel_bytes_ = colour_ ? 4 : size_of(kind_);
        // check_shape() keeps rows x columns and the frames below 2^30 each: no overflow.
        if (data_->data.size() / pixel_bytes_ / frames_ < rows_ * columns_)
            throw FileError(
                fmt::format("image {} is truncated: shape {} needs more than its {} bytes of data", name_,
                            shape_text(shape), data_->data.size()));
    }

    std::string name_;
    MappedFile file_;
    Tag root_;
    bool little_ = true, colour_ = false;
    const Tag* image_ = nullptr;
    const Tag* data_ = nullptr;
    std::string dataset_;
    std::uint64_t rows_ = 0, columns_ = 0, frames_ = 1, kind_ = 0, pixel_bytes_ = 1;
};

}  // namespace

std::unique_ptr<ImageReader> open_dm(const fs::path& path, const std::string& dataset) {
    return std::make_unique<DmReader>(path, dataset);
}

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// Arrays in a zip archive, stored or deflated. Format: PKWARE APPNOTE 6.3, with its 64-bit extension.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <cstring>

#include "image/npy.hpp"
#include "image/reader.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

struct Member {
    std::string name;  // without ".npy"
    unsigned method = 0;
    std::uint32_t checksum = 0;
    std::uint64_t compressed = 0;
    std::uint64_t size = 0;
    std::uint64_t header = 0;  // where its local header begins
};

/// Little-endian reading with bounds.
class Archive {
  public:
    Archive(Bytes bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

    std::uint64_t number(std::uint64_t at, unsigned size) const {
        const Bytes raw = part(at, size);
        std::uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i) value |= std::uint64_t{raw[i]} << (8 * i);
        return value;
    }
    Bytes part(std::uint64_t at, std::uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at) throw_broken("it is truncated");
        return bytes_.subspan(at, size);
    }
    std::uint64_t size() const { return bytes_.size(); }
    [[noreturn]] void throw_broken(const std::string& what) const {
        throw FileError(fmt::format("image {} is not a whole zip archive: {}", name_, what));
    }

  private:
    Bytes bytes_;
    std::string name_;
};

/// Where the end record begins: at the end, before a comment of at most 65535 bytes.
std::uint64_t find_end_record(const Archive& archive) {
    constexpr std::uint64_t length = 22;
    if (archive.size() < length) archive.throw_broken("it is truncated");
    const std::uint64_t last = archive.size() - length;
    for (std::uint64_t back = 0; back <= last && back <= 65535; ++back)
        if (archive.number(last - back, 4) == 0x06054b50) return last - back;
    archive.throw_broken("no table of contents at its end (truncated?)");
}

/// Replaces a size or offset that did not fit into 32 bits by the next entry of the 64-bit extra field.
void widen(const Archive& archive, std::uint64_t& value, std::uint64_t& at, std::uint64_t end) {
    if (value != 0xffffffff || at + 8 > end) return;
    value = archive.number(at, 8);
    at += 8;
}

std::vector<Member> table_of_contents(const Archive& archive) {
    const std::uint64_t end = find_end_record(archive);
    std::uint64_t count = archive.number(end + 10, 2);
    std::uint64_t at = archive.number(end + 16, 4);
    if ((count == 0xffff || at == 0xffffffff) && end >= 20 && archive.number(end - 20, 4) == 0x07064b50) {
        const std::uint64_t wide = archive.number(end - 12, 8);
        count = archive.number(wide + 32, 8);
        at = archive.number(wide + 48, 8);
    }
    std::vector<Member> members;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (archive.number(at, 4) != 0x02014b50) archive.throw_broken("its table of contents is damaged");
        if (archive.number(at + 8, 2) & 1U) archive.throw_broken("it is encrypted");
        Member member;
        member.method = static_cast<unsigned>(archive.number(at + 10, 2));
        member.checksum = static_cast<std::uint32_t>(archive.number(at + 16, 4));
        member.compressed = archive.number(at + 20, 4);
        member.size = archive.number(at + 24, 4);
        member.header = archive.number(at + 42, 4);
        const std::uint64_t name_length = archive.number(at + 28, 2);
        const std::uint64_t extra_length = archive.number(at + 30, 2);
        const Bytes name = archive.part(at + 46, name_length);
        member.name.assign(name.begin(), name.end());
        if (member.name.ends_with(".npy")) member.name.resize(member.name.size() - 4);
        const std::uint64_t extra_end = at + 46 + name_length + extra_length;
        for (std::uint64_t extra = at + 46 + name_length; extra + 4 <= extra_end;) {
            const std::uint64_t length = archive.number(extra + 2, 2);
            std::uint64_t field = extra + 4;
            if (archive.number(extra, 2) == 1) {
                widen(archive, member.size, field, field + length);
                widen(archive, member.compressed, field, extra + 4 + length);
                widen(archive, member.header, field, extra + 4 + length);
            }
            extra += 4 + length;
        }
        at = extra_end + archive.number(at + 32, 2);
        members.push_back(std::move(member));
    }
    return members;
}

std::vector<std::uint8_t> unpack(const Archive& archive, const Member& member) {
    if (archive.number(member.header, 4) != 0x04034b50) archive.throw_broken("a member's header is damaged");
    const std::uint64_t start =
        member.header + 30 + archive.number(member.header + 26, 2) + archive.number(member.header + 28, 2);
    const Bytes packed = archive.part(start, member.compressed);
    const std::string broken = fmt::format("array '{}' cannot be unpacked", member.name);
    std::vector<std::uint8_t> data;
    if (member.method == 0) {
        data.assign(packed.begin(), packed.end());
    } else if (member.method == 8) {
        if (member.size / most_deflated > packed.size()) archive.throw_broken(broken);
        data.resize(member.size);
        z_stream stream{};
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw BackendError("zlib cannot start");
        // zlib counts in 32 bits: hand over at most 1 GiB at a time.
        constexpr std::uint64_t piece = 1U << 30;
        std::uint64_t read = 0;
        std::uint64_t written = 0;
        int status = Z_OK;
        while (status == Z_OK) {
            stream.next_in = const_cast<Bytef*>(packed.data() + read);
            stream.avail_in = static_cast<uInt>(std::min<std::uint64_t>(piece, packed.size() - read));
            stream.next_out = data.data() + written;
            stream.avail_out = static_cast<uInt>(std::min<std::uint64_t>(piece, data.size() - written));
            const uInt in = stream.avail_in;
            const uInt out = stream.avail_out;
            status = inflate(&stream, Z_NO_FLUSH);
            read += in - stream.avail_in;
            written += out - stream.avail_out;
        }
        inflateEnd(&stream);
        if (status != Z_STREAM_END || written != data.size()) archive.throw_broken(broken);
    } else {
        archive.throw_broken(fmt::format("array '{}' is packed with method {}; accepted: stored, deflated",
                                         member.name, member.method));
    }
    if (crc32_z(0, data.data(), data.size()) != member.checksum || data.size() != member.size)
        archive.throw_broken(fmt::format("array '{}' is damaged (checksum)", member.name));
    return data;
}

class NpzReader final : public ImageReader {
  public:
    NpzReader(std::vector<std::uint8_t> bytes, std::string dataset, const std::string& name)
        : bytes_(std::move(bytes)), array_(bytes_, name), dataset_(std::move(dataset)) {
        check_shape(array_.shape(), name);
    }
    int n_frames() const override {
        return array_.shape().size() == 3 ? static_cast<int>(array_.shape().front()) : 1;
    }
    Pixels read(int frame) override { return array_.frame(frame); }
    std::optional<double> pixel_size_angstrom(int) override { return std::nullopt; }
    std::string dataset() const override { return dataset_; }

  private:
    std::vector<std::uint8_t> bytes_;
    NpyArray array_;
    std::string dataset_;
};

}  // namespace

std::unique_ptr<ImageReader> open_npz(const fs::path& path, const std::string& dataset) {
    const MappedFile file(path);
    const Archive archive(file.bytes(), fmt::format("'{}'", path.string()));
    std::vector<Member> members = table_of_contents(archive);
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::vector<std::string> seen;
    for (const Member& member : members) {
        const std::string name = fmt::format("'{}', array '{}'", path.string(), member.name);
        seen.push_back(member.name);
        if (!dataset.empty()) {
            if (member.name == dataset)
                return std::make_unique<NpzReader>(unpack(archive, member), member.name, name);
            continue;
        }
        std::vector<std::uint8_t> bytes = unpack(archive, member);
        try {
            const NpyArray array(bytes, name);
            if (array.shape().size() != 2 && array.shape().size() != 3) continue;
        } catch (const InputError&) {
            continue;  // texts and the like: not an image
        }
        return std::make_unique<NpzReader>(std::move(bytes), member.name, name);
    }
    throw InputError(
        fmt::format("image '{}' holds {}; it has: {}", path.string(),
                    dataset.empty() ? "no 2-D or 3-D array" : fmt::format("no array '{}'", dataset),
                    seen.empty() ? "nothing" : fmt::format("{}", fmt::join(seen, ", "))));
}

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/structure_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "bytes.hpp"
#include "stembridge/base/errors.hpp"
#include "structure/formats.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

enum class Format { extxyz, poscar, gen };

Format format_of(const fs::path& path) {
    const std::string suffix = lower_case(path.extension().string());
    const std::string name = path.filename().string();
    if (suffix == ".extxyz" || suffix == ".xyz") return Format::extxyz;
    if (suffix == ".gen") return Format::gen;
    if (suffix == ".vasp" || suffix == ".poscar" || name.starts_with("POSCAR") || name.starts_with("CONTCAR"))
        return Format::poscar;
    throw InputError(
        fmt::format("structure '{}': the format is not known from this name; accepted: .extxyz, .xyz, "
                    ".vasp, .poscar, POSCAR..., CONTCAR..., .gen",
                    path.string()));
}

[[noreturn]] void throw_no_frame(const fs::path& path, int frame, std::int64_t frames) {
    throw InputError(fmt::format("structure '{}' has no frame {}: it holds {} frame{}, counted from 0",
                                 path.string(), frame, frames, frames == 1 ? "" : "s"));
}

Structure read_extxyz_structure(const fs::path& path, LineReader& lines, int frame) {
    if (lines.only_blanks_follow()) throw FileError(fmt::format("structure '{}' is empty", path.string()));
    LineReader ahead = lines;
    for (std::int64_t index = 0; index != frame; ++index) {
        if (!skip_extxyz_frame(ahead)) break;  // reading it says what is wrong
        if (ahead.only_blanks_follow()) {
            if (frame >= 0) throw_no_frame(path, frame, index + 1);
            break;
        }
        lines = ahead;
    }
    return read_extxyz_frame(lines).structure;
}

}  // namespace

Structure read_structure(const fs::path& path, int frame) {
    const Format format = format_of(path);
    const MappedFile file(path);
    LineReader lines(file.text(), path.string());
    if (format == Format::extxyz) return read_extxyz_structure(path, lines, frame);
    if (frame != 0 && frame != -1) throw_no_frame(path, frame, 1);
    return format == Format::gen ? read_gen(lines) : read_poscar(lines);
}

std::string structure_text(const fs::path& path, const Structure& structure) {
    switch (format_of(path)) {
        case Format::extxyz:
            return format_extxyz_frame({structure, {}, {}});
        case Format::poscar:
            return format_poscar(structure);
        case Format::gen:
            return format_gen(structure);
    }
    throw std::logic_error("structure format out of range");
}

void write_structure(const fs::path& path, const Structure& structure) {
    write_atomically(path, as_bytes(structure_text(path, structure)));
}

void require_structure_name(const fs::path& path) {
    format_of(path);
}

void require_writable(const fs::path& path, const Structure& structure) {
    structure_text(path, structure);
}

std::vector<Frame> read_trajectory(const fs::path& path) {
    if (format_of(path) != Format::extxyz)
        throw InputError(fmt::format("trajectory '{}': accepted are .extxyz and .xyz", path.string()));
    const MappedFile file(path);
    LineReader lines(file.text(), path.string());
    std::vector<Frame> frames;
    while (!lines.only_blanks_follow()) frames.push_back(read_extxyz_frame(lines));
    return frames;
}

TrajectoryWriter::TrajectoryWriter(const fs::path& path, std::int64_t keep_frames)
    : path_(path), n_frames_(keep_frames) {
    if (keep_frames > 0) {
        const MappedFile file(path);
        LineReader lines(file.text(), path.string());
        for (std::int64_t frame = 0; frame < keep_frames; ++frame)
            if (!skip_extxyz_frame(lines) || !lines.ended_with_newline())
                throw FileError(
                    fmt::format("trajectory '{}' cannot be continued after {} frames: it holds {} whole ones",
                                path.string(), keep_frames, frame));
        size_ = static_cast<std::int64_t>(lines.position());
    }
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_error("cannot write", path, errno);
    // EINVAL: a device, which has no length.
    if ((::ftruncate(descriptor_, size_) != 0 && errno != EINVAL) ||
        ::lseek(descriptor_, size_, SEEK_SET) < 0) {
        const int error = errno;
        ::close(std::exchange(descriptor_, -1));
        throw_system_error("cannot write", path, error);
    }
}

TrajectoryWriter::~TrajectoryWriter() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

TrajectoryWriter::TrajectoryWriter(TrajectoryWriter&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      n_frames_(other.n_frames_),
      size_(other.size_) {}

TrajectoryWriter& TrajectoryWriter::operator=(TrajectoryWriter&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(n_frames_, other.n_frames_);
    std::swap(size_, other.size_);
    return *this;
}

void TrajectoryWriter::write(const Frame& frame) {
    const std::string text = format_extxyz_frame(frame);
    try {
        write_all(descriptor_, as_bytes(text), path_);
    } catch (const FileError&) {
        if (::ftruncate(descriptor_, size_) == 0) ::lseek(descriptor_, size_, SEEK_SET);
        throw;
    }
    size_ += static_cast<std::int64_t>(text.size());
    ++n_frames_;
}

void TrajectoryWriter::sync() {
    flush_to_disk(descriptor_, path_);
}

}  // namespace stembridge::io

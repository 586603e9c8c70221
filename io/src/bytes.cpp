// SPDX-License-Identifier: Apache-2.0
#include "bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::io {
namespace fs = std::filesystem;
namespace {

/// A file descriptor that is closed with the object.
class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }
    /// 0 or the error of close(2), which some file systems report only here.
    int close() { return value_ >= 0 && ::close(std::exchange(value_, -1)) != 0 ? errno : 0; }

  private:
    int value_;
};

}  // namespace

void throw_system_error(std::string_view what, const fs::path& path, int error) {
    throw FileError(fmt::format("{} '{}': {}", what, path.string(), std::generic_category().message(error)));
}

MappedFile::MappedFile(const fs::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) throw_system_error("cannot read", path, errno);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw_system_error("cannot read", path, errno);
    if (S_ISDIR(status.st_mode)) throw_system_error("cannot read", path, EISDIR);
    if (!S_ISREG(status.st_mode))
        throw FileError(fmt::format("cannot read '{}': not a regular file", path.string()));
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) throw_system_error("cannot read", path, errno);
    data_ = static_cast<const std::uint8_t*>(address);
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

void write_all(int descriptor, Bytes bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw_system_error("cannot write", path, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void flush_to_disk(int descriptor, const fs::path& path) {
    // EINVAL: a file system or device that has nothing to flush.
    if (::fsync(descriptor) != 0 && errno != EINVAL) throw_system_error("cannot write", path, errno);
}

void write_atomically(const fs::path& given, Bytes bytes, const std::function<void()>& before_rename) {
    std::error_code unresolved;
    const fs::path resolved = fs::is_symlink(given, unresolved) ? fs::canonical(given, unresolved) : given;
    const fs::path& path = unresolved ? given : resolved;
    if (fs::exists(path, unresolved) && !fs::is_regular_file(path, unresolved) &&
        !fs::is_directory(path, unresolved)) {
        const Descriptor device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));  // or a pipe: not to be replaced
        if (device.get() < 0) throw_system_error("cannot write", path, errno);
        return write_all(device.get(), bytes, path);
    }
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code status;
    fs::create_directories(folder, status);
    if (status) throw_system_error("cannot make the folder", folder, status.value());
    fs::path temporary = path;
    temporary += ".part";
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.get() < 0) throw_system_error("cannot write", path, errno);
    try {
        write_all(file.get(), bytes, path);
        flush_to_disk(file.get(), path);
        if (const int error = file.close(); error != 0) throw_system_error("cannot write", path, error);
        if (before_rename) before_rename();
        if (::rename(temporary.c_str(), path.c_str()) != 0) throw_system_error("cannot write", path, errno);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    // The new name itself is on the disk only after its folder is flushed; where folders cannot be opened
    // that is left to the system.
    const Descriptor opened_folder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened_folder.get() >= 0) ::fsync(opened_folder.get());
}

std::string read_text(const fs::path& path) {
    return std::string(MappedFile(path).text());
}

void write_text_atomically(const fs::path& path, std::string_view text) {
    write_atomically(path, as_bytes(text));
}

}  // namespace stembridge::io

// SPDX-License-Identifier: Apache-2.0
// Files as bytes: mapped into memory for reading, written whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace stembridge::io {

using Bytes = std::span<const std::uint8_t>;

/// A file mapped into memory for reading.
class MappedFile {
  public:
    /// @throw FileError when it is missing, unreadable or not a regular file
    explicit MappedFile(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    Bytes bytes() const { return {data_, size_}; }
    std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  private:
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Writes everything to an open file. @throw FileError
void write_all(int descriptor, Bytes bytes, const std::filesystem::path& path);

/// Flushes an open file to the disk. @throw FileError
void flush_to_disk(int descriptor, const std::filesystem::path& path);

/// Writes `path` under a temporary name, flushes it, calls `before_rename` if given, and renames it. @throw
/// FileError
void write_atomically(const std::filesystem::path& path, Bytes bytes,
                      const std::function<void()>& before_rename = {});

/// @throw FileError "what 'path': reason of the operating system"
[[noreturn]] void throw_system_error(std::string_view what, const std::filesystem::path& path, int error);

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace stembridge::io

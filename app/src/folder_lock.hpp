// SPDX-License-Identifier: Apache-2.0
// One process at a time in a folder that results are written to.
#pragma once

#include <filesystem>

namespace stembridge::app {

/// Holds a folder for this process as long as it lives, by a lock on the file `.lock` in it, which names the
/// process. It is released with the process, however that ends. File systems without locks do without.
class FolderLock {
  public:
    /// Makes the folder where it is missing. @throw FileError when another process holds it, naming that
    explicit FolderLock(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

    static constexpr const char* file_name = ".lock";

  private:
    int descriptor_ = -1;
};

}  // namespace stembridge::app

// SPDX-License-Identifier: Apache-2.0
#include "folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "stage_folder.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/text_file.hpp"

namespace stembridge::app {
namespace fs = std::filesystem;
namespace {

/// "process 4711 on node3"
std::string this_process() {
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    return fmt::format("process {} on {}", ::getpid(), host);
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) {
    make_folder(folder);
    const fs::path file = folder / file_name;
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0)
        throw FileError(fmt::format("cannot write to folder {}: {}", folder.string(), std::strerror(errno)));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        const std::string holder = io::read_text(file);
        ::close(descriptor_);
        throw FileError(
            fmt::format("{} is in use by {}: wait until it has ended, stop it, or give another folder",
                        folder.string(), holder.empty() ? "another process" : holder));
    }
    const std::string name = this_process();
    if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
        const auto written = ::write(descriptor_, name.data(), name.size());
}

FolderLock::~FolderLock() {
    ::close(descriptor_);
}

}  // namespace stembridge::app

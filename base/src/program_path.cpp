// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/program_path.hpp"

#include <dlfcn.h>
#include <link.h>

#include <system_error>

namespace stembridge {
namespace fs = std::filesystem;
namespace {

/// File that this code is in.
fs::path own_file() {
    Dl_info info;
    void* found = nullptr;
    if (::dladdr1(reinterpret_cast<void*>(&own_file), &info, &found, RTLD_DL_LINKMAP) == 0)
        return program_path();
    const std::string library = static_cast<const link_map*>(found)->l_name;  // empty: the program itself
    std::error_code failed;
    return library.empty() ? program_path() : fs::weakly_canonical(library, failed);
}

}  // namespace

fs::path program_path() {
    std::error_code failed;
    const auto path = fs::read_symlink("/proc/self/exe", failed);
    return failed ? fs::path() : path;
}

fs::path find_installed(const fs::path& part) {
    std::error_code failed;
    for (fs::path folder = own_file().parent_path(); folder.has_relative_path();
         folder = folder.parent_path())
        if (fs::exists(folder / part, failed)) return folder / part;
    return {};
}

}  // namespace stembridge

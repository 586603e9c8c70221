// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/program_path.hpp"

#include <system_error>

namespace stembridge {

std::filesystem::path program_path() {
    std::error_code failed;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
    return failed ? std::filesystem::path() : path;
}

}  // namespace stembridge

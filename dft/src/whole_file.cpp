// SPDX-License-Identifier: Apache-2.0
#include "whole_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

#include "stembridge/base/errors.hpp"

namespace stembridge::dft {

void write_whole_file(const std::filesystem::path& path, const std::string& text) {
    const std::filesystem::path temporary = path.string() + ".partial";
    {
        std::ofstream stream(temporary, std::ios::binary);
        stream << text << std::flush;
        if (!stream) throw FileError(fmt::format("{}: cannot be written", temporary.string()));
    }
    std::error_code error;
    std::filesystem::rename(temporary, path, error);
    if (error) throw FileError(fmt::format("{}: cannot be written: {}", path.string(), error.message()));
}

}  // namespace stembridge::dft

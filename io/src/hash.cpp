// SPDX-License-Identifier: Apache-2.0
#include "stembridge/io/hash.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "bytes.hpp"
#include "stembridge/base/errors.hpp"

namespace stembridge::io {
namespace {

std::string sha256(Bytes bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
        throw BackendError("OpenSSL cannot compute SHA-256 digests");
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

}  // namespace

std::string sha256_of_file(const std::filesystem::path& path) {
    return sha256(MappedFile(path).bytes());
}

std::string sha256_of_files(const std::vector<std::filesystem::path>& files) {
    std::vector<std::string> entries;
    for (const auto& file : files) entries.push_back(file.filename().string() + sha256_of_file(file));
    std::sort(entries.begin(), entries.end());
    return sha256_of_text(fmt::format("{}", fmt::join(entries, "")));
}

std::string sha256_of_text(std::string_view text) {
    return sha256(as_bytes(text));
}

}  // namespace stembridge::io

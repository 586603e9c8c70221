// SPDX-License-Identifier: Apache-2.0
#include "stembridge/base/available_memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace stembridge {
namespace fs = std::filesystem;
namespace {

/// The number after a key in a file of lines "key number"; nothing without the file or the key.
std::optional<double> value_of(const fs::path& file, const std::string& key) {
    std::ifstream stream(file);
    for (std::string word; stream >> word;)
        if (double value = 0; word == key && stream >> value) return value;
    return std::nullopt;
}

/// The only number of a file; nothing without the file or when it holds a word such as "max".
std::optional<double> number_in(const fs::path& file) {
    std::ifstream stream(file);
    double value = 0;
    return stream >> value ? std::optional(value) : std::nullopt;
}

double available_of_system(const fs::path& root) {
    if (const auto kibibytes = value_of(root / "proc/meminfo", "MemAvailable:")) return 1024 * *kibibytes;
    return static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Path of the control group below the folder of all of them, "0::/path".
std::string control_group(const fs::path& root) {
    std::ifstream stream(root / "proc/self/cgroup");
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with("0::/")) return line.substr(4);
    return "";
}

/// What a control group leaves; files in the cache that were not used lately count as free.
double available_of_group(const fs::path& group) {
    const auto limit = number_in(group / "memory.max"), used = number_in(group / "memory.current");
    if (!limit || !used) return std::numeric_limits<double>::infinity();
    return std::max(0.0, *limit - *used + value_of(group / "memory.stat", "inactive_file").value_or(0));
}

}  // namespace

double available_memory(const fs::path& root) {
    double available = available_of_system(root);
    // The limits of the groups above hold too.
    const fs::path all_groups = root / "sys/fs/cgroup";
    fs::path below = control_group(root);
    while (true) {
        available = std::min(available, available_of_group(all_groups / below));
        if (below.empty()) return available;
        below = below.parent_path();
    }
}

}  // namespace stembridge

// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "stembridge/base/available_memory.hpp"
#include "support/support.hpp"

using namespace stembridge;
namespace fs = std::filesystem;

namespace {

constexpr double mib = 1048576;

struct System {
    testing::TemporaryFolder folder;
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((folder.path() / name).parent_path());
        std::ofstream(folder.path() / name) << text;
    }
    double available() const { return available_memory(folder.path()); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_available_memory)

BOOST_AUTO_TEST_CASE(caches_of_the_system_count_as_available) {
    const System system;
    system.write("proc/meminfo", "MemTotal: 4096000 kB\nMemFree: 1024 kB\nMemAvailable: 2048000 kB\n");
    BOOST_TEST(system.available() == 2048000.0 * 1024);
}

BOOST_AUTO_TEST_CASE(the_tightest_control_group_decides) {
    const System system;
    system.write("proc/meminfo", "MemAvailable: 2048000 kB\n");
    system.write("proc/self/cgroup", "1:cpu:/elsewhere\n0::/jobs/seven\n");
    system.write("sys/fs/cgroup/jobs/seven/memory.max", "max\n");
    system.write("sys/fs/cgroup/jobs/seven/memory.current", "123\n");
    BOOST_TEST(system.available() == 2048000.0 * 1024);
    system.write("sys/fs/cgroup/jobs/memory.max", std::to_string(static_cast<long>(100 * mib)));
    system.write("sys/fs/cgroup/jobs/memory.current", std::to_string(static_cast<long>(70 * mib)));
    BOOST_TEST(system.available() == 30 * mib);
    system.write("sys/fs/cgroup/jobs/memory.stat",
                 "anon 1\ninactive_file " + std::to_string(static_cast<long>(20 * mib)) + "\n");
    BOOST_TEST(system.available() == 50 * mib);
    system.write("sys/fs/cgroup/memory.max", "1000");  // of a container, seen from within
    system.write("sys/fs/cgroup/memory.current", "2000");
    BOOST_TEST(system.available() == 0);
}

BOOST_AUTO_TEST_CASE(this_system_has_some) {
    BOOST_TEST(available_memory() > mib);
}

BOOST_AUTO_TEST_SUITE_END()

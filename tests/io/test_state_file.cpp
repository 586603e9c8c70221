// SPDX-License-Identifier: Apache-2.0
// Checkpoints: exact, atomic, and never trusted when damaged.
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "stembridge/base/errors.hpp"
#include "stembridge/io/hash.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
namespace fs = std::filesystem;

namespace {

State small_state(double first = 1.0 / 3) {
    State state;
    state.put("positions", std::vector<double>{first, -0.0, std::numeric_limits<double>::denorm_min(),
                                               std::numeric_limits<double>::quiet_NaN(), 1e308});
    state.put("thermostat/momenta", std::vector<double>{1, 2, 3});
    state.put("thermostat/weights", std::vector<float>{0.1F, std::numeric_limits<float>::infinity()});
    state.put("step", std::int64_t{-1234567890123456789});
    state.put("random", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 0, 7});
    state.put("kind", std::string("Nose-Hoover \xc3\xa5"));
    state.put("empty/text", std::string());
    state.put("empty/list", std::vector<double>{});
    state.put("with_zero", std::string("a\0b\0", 4));
    return state;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool same_bits(const std::string& a, const std::string& b) {
    return a == b;
}

bool same_bits(const State& a, const State& b) {
    if (a.values().size() != b.values().size()) return false;
    for (const auto& [name, value] : a.values()) {
        if (!b.has(name) || b.values().at(name).index() != value.index()) return false;
        const auto& other = b.values().at(name);
        const bool same = std::visit(
            [&](const auto& v) { return same_bits(v, std::get<std::decay_t<decltype(v)>>(other)); }, value);
        if (!same) return false;
    }
    return true;
}

std::string content(const fs::path& path) {
    return read_text(path);
}

void overwrite(const fs::path& path, const std::string& text) {
    fs::remove(path);  // some file systems flush a file that is written over
    std::ofstream(path, std::ios::binary) << text;
}

/// Runs something in a process that may not write files larger than a limit, as on a full disk.
/// @return 0 when it threw a FileError, else another number
int status_on_full_disk(rlim_t bytes, const std::function<void()>& run) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{bytes, bytes};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        int status = 1;
        try {
            run();
        } catch (const FileError&) {
            status = 0;
        } catch (...) {
            status = 2;
        }
        ::_exit(status);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_state_file)

BOOST_AUTO_TEST_CASE(a_state_comes_back_with_the_same_bits) {
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "new" / "state.h5";
    write_state(path, small_state());
    BOOST_TEST(same_bits(read_state(path), small_state()));
    write_state(path, State{});
    BOOST_TEST(read_state(path).values().empty());
}

BOOST_AUTO_TEST_CASE(floats_that_lose_nothing_with_16_bits_take_half_the_place) {
    const testing::TemporaryFolder folder;
    constexpr std::size_t n = 100'000;
    std::vector<float> halves, others;
    for (std::size_t i = 0; i < n; ++i) {
        // Integers up to 2048 times a power of two, down to subnormal ones.
        const int digits = static_cast<int>(i % 2049) * (i % 2 ? -1 : 1);
        halves.push_back(std::ldexp(static_cast<float>(digits), -static_cast<int>(i % 14)));
        others.push_back(halves.back() + 1e-6F);
    }
    halves[7] = -0.0F;
    halves[8] = std::numeric_limits<float>::infinity();
    halves[9] = std::ldexp(1.0F, -24);
    State small, large;
    small.put("weights", halves);
    large.put("weights", others);
    write_state(folder.path() / "small.h5", small);
    write_state(folder.path() / "large.h5", large);
    BOOST_TEST(same_bits(read_state(folder.path() / "small.h5"), small));
    BOOST_TEST(same_bits(read_state(folder.path() / "large.h5"), large));
    BOOST_TEST(fs::file_size(folder.path() / "small.h5") < 2 * n + 20'000);
    BOOST_TEST(fs::file_size(folder.path() / "large.h5") >= 4 * n);
}

BOOST_AUTO_TEST_CASE(equal_states_give_equal_files) {
    const testing::TemporaryFolder folder;
    write_state(folder.path() / "a.h5", small_state());
    write_state(folder.path() / "b.h5", small_state());
    BOOST_TEST(sha256_of_file(folder.path() / "a.h5") == sha256_of_file(folder.path() / "b.h5"));
}

BOOST_AUTO_TEST_CASE(a_file_cut_or_changed_anywhere_is_never_taken_for_a_state) {
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "state.h5";
    write_state(path, small_state());
    const std::string whole = content(path);
    for (std::size_t length = 0; length < whole.size(); length += length < 2048 ? 37 : 211) {
        overwrite(path, whole.substr(0, length));
        BOOST_CHECK_THROW(read_state(path), FileError);
    }
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 0x40);
        overwrite(path, changed);
        BOOST_CHECK_THROW(read_state(path), FileError);
    }
}

BOOST_AUTO_TEST_CASE(the_file_is_plain_hdf5_for_other_programs) {
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "state.h5";
    write_state(path, small_state());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    BOOST_REQUIRE(file >= 0);
    const hid_t dataset = H5Dopen2(file, "/thermostat/momenta", H5P_DEFAULT);
    std::array<double, 3> momenta{};
    BOOST_TEST(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, momenta.data()) >= 0);
    BOOST_TEST(momenta[2] == 3.0);
    H5Dclose(dataset);
    H5Fclose(file);
}

BOOST_AUTO_TEST_CASE(other_files_are_refused_with_a_clear_message) {
    const testing::TemporaryFolder folder;
    BOOST_CHECK_THROW(read_state(folder.path() / "absent.h5"), FileError);
    BOOST_CHECK_THROW(read_state(folder.path()), FileError);
    overwrite(folder.path() / "text.h5", "not HDF5 at all");
    BOOST_CHECK_EXCEPTION(read_state(folder.path() / "text.h5"), FileError, [](const FileError& error) {
        return std::string(error.what()).find("text.h5") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(the_checkpoint_before_is_kept_and_used_when_the_newest_is_damaged) {
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "checkpoint.h5";
    std::string warning;
    Context context;
    context.log_sink = [&](Context::Level level, std::string_view text) {
        if (level == Context::Level::warning) warning = text;
    };
    BOOST_TEST(!has_checkpoint(path));
    BOOST_CHECK_THROW(read_checkpoint(path, context), FileError);
    write_checkpoint(path, small_state(1));
    BOOST_TEST(!fs::exists(folder.path() / "checkpoint.prev.h5"));
    write_checkpoint(path, small_state(2));
    BOOST_TEST(same_bits(read_checkpoint(path, context), small_state(2)));
    BOOST_TEST(warning.empty());
    BOOST_TEST(same_bits(read_state(folder.path() / "checkpoint.prev.h5"), small_state(1)));

    overwrite(path, content(path).substr(0, 1000));
    BOOST_TEST(same_bits(read_checkpoint(path, context), small_state(1)));
    BOOST_TEST(warning.find("checkpoint.prev.h5") != std::string::npos);
    fs::remove(path);  // a crash between the two renames
    BOOST_TEST(has_checkpoint(path));
    BOOST_TEST(same_bits(read_checkpoint(path, context), small_state(1)));
    overwrite(folder.path() / "checkpoint.prev.h5", "");
    overwrite(path, "");
    BOOST_CHECK_THROW(read_checkpoint(path, context), FileError);
}

BOOST_AUTO_TEST_CASE(on_a_full_disk_the_previous_files_stay_and_nothing_is_left_over) {
    const testing::TemporaryFolder folder;
    const fs::path checkpoint = folder.path() / "checkpoint.h5";
    const fs::path text = folder.path() / "text.txt";
    write_checkpoint(checkpoint, small_state(1));
    write_checkpoint(checkpoint, small_state(2));
    write_text_atomically(text, "before");
    State large = small_state(3);
    large.put("large", std::vector<double>(10000, 1.0));
    BOOST_TEST(status_on_full_disk(20000, [&] { write_checkpoint(checkpoint, large); }) == 0);
    BOOST_TEST(status_on_full_disk(20000, [&] { write_state(checkpoint, large); }) == 0);
    BOOST_TEST(status_on_full_disk(20000, [&] { write_text_atomically(text, std::string(30000, 'x')); }) ==
               0);
    BOOST_TEST(status_on_full_disk(
                   20000, [&] { write_npy(folder.path() / "new.npy", Pixels::Zero(100, 100)); }) == 0);
    BOOST_TEST(same_bits(read_state(checkpoint), small_state(2)));
    BOOST_TEST(same_bits(read_state(folder.path() / "checkpoint.prev.h5"), small_state(1)));
    BOOST_TEST(content(text) == "before");
    BOOST_TEST(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 3);
}

BOOST_AUTO_TEST_CASE(a_trajectory_on_a_full_disk_keeps_its_whole_frames) {
    const testing::TemporaryFolder folder;
    const fs::path path = folder.path() / "trajectory.extxyz";
    Frame frame;
    for (int i = 0; i < 50; ++i) frame.structure.add(6, Eigen::Vector3d(i, 1.0 / 3, 2.0 / 7));
    BOOST_TEST(status_on_full_disk(6000, [&] {
                   TrajectoryWriter writer(path);
                   for (int i = 0; i < 100; ++i) writer.write(frame);
               }) == 0);
    const auto frames = read_trajectory(path);
    BOOST_TEST(!frames.empty());
    BOOST_TEST(frames.size() < 10U);
    BOOST_CHECK_THROW(TrajectoryWriter("/dev/full").write(frame), FileError);
}

BOOST_AUTO_TEST_CASE(places_that_cannot_be_written_are_file_errors) {
    BOOST_CHECK_THROW(write_text_atomically("/proc/none/file.txt", "x"), FileError);
    BOOST_CHECK_THROW(TrajectoryWriter("/proc/none/file.extxyz"), FileError);
    const testing::TemporaryFolder folder;
    fs::create_directory(folder.path() / "folder.txt");
    BOOST_CHECK_THROW(write_text_atomically(folder.path() / "folder.txt", "x"), FileError);
    BOOST_TEST(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

BOOST_AUTO_TEST_CASE(digests_are_those_of_the_standard) {
    // FIPS 180-4 examples.
    BOOST_TEST(sha256_of_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(sha256_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const testing::TemporaryFolder folder;
    write_text_atomically(folder.path() / "a", "abc");
    BOOST_TEST(sha256_of_file(folder.path() / "a") == sha256_of_text("abc"));
    BOOST_CHECK_THROW(sha256_of_file(folder.path() / "absent"), FileError);
}

BOOST_AUTO_TEST_SUITE_END()

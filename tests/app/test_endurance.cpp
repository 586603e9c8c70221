// SPDX-License-Identifier: Apache-2.0
// What can happen to a long run: kills at any instant, damaged checkpoints, a folder that is removed.
// STEMBRIDGE_KILLS=50 makes as many kills as that.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "stembridge/base/random.hpp"
#include "stembridge/base/timer.hpp"
#include "stembridge/io/text_file.hpp"
#include "workplace.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

constexpr int steps = 300;
const std::vector<std::string> bussi = {"--ensemble", "bussi"};  // its random numbers must go on too

std::string content(const MoleculeWorkplace& place, const std::string& run) {
    std::string all;
    for (const char* name : {"thermo.csv", "trajectory.extxyz", "final.extxyz"})
        all += io::read_text(place.folder.path() / run / name);
    return all;
}

/// A run that was stopped in the middle, with a checkpoint and the one before it.
void stop_half_way(const MoleculeWorkplace& place, const std::string& run) {
    const fs::path folder = place.folder.path() / run;
    interrupt(
        place.md(run, steps, bussi), folder, [&] { return fs::exists(folder / "checkpoint.prev.h5"); },
        SIGTERM);
}

void damage(const fs::path& path) {
    std::string bytes = io::read_text(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
    io::write_text_atomically(path, bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_endurance)

BOOST_AUTO_TEST_CASE(a_run_killed_at_any_instant_continues_to_the_same_bits) {
    const MoleculeWorkplace place;
    const Timer timer;
    BOOST_REQUIRE(run_program(place.md("whole", steps, bussi)).status == 0);
    const double whole_seconds = timer.seconds();
    const std::string expected = content(place, "whole");
    const char* wanted = std::getenv("STEMBRIDGE_KILLS");
    const int kills = wanted != nullptr ? std::atoi(wanted) : 5;
    Random random(static_cast<std::uint64_t>(kills));
    int done = 0, runs = 0, longest = 0, of_this_run = 0;
    std::string run = "killed0";
    while (done < kills) {
        RunningProgram program(place.md(run, steps, bussi));
        std::this_thread::sleep_for(
            std::chrono::microseconds(static_cast<long>(1e6 * whole_seconds * random.uniform(0, 0.7))));
        program.send(SIGKILL);
        const Outcome outcome = program.wait();
        if (outcome.status == 128 + SIGKILL) {
            ++done;
            longest = std::max(longest, ++of_this_run);
        } else {  // it was faster
            BOOST_REQUIRE(outcome.status == 0);
            BOOST_TEST((content(place, run) == expected));
            run = "killed" + std::to_string(++runs);
            of_this_run = 0;
        }
    }
    const Outcome last = run_program(place.md(run, steps, bussi));
    BOOST_TEST(last.status == 0, last.output);
    BOOST_TEST((content(place, run) == expected));
    BOOST_TEST_MESSAGE(done << " kills in " << runs + 1 << " runs, up to " << longest << " in one of them");
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_told_and_the_one_before_it_is_used) {
    const MoleculeWorkplace place;
    BOOST_REQUIRE(run_program(place.md("whole", steps, bussi)).status == 0);
    for (const std::string way : {"bit", "cut", "empty", "gone"}) {
        stop_half_way(place, way);
        const fs::path checkpoint = place.folder.path() / way / "checkpoint.h5";
        if (way == "bit") damage(checkpoint);
        if (way == "cut") fs::resize_file(checkpoint, fs::file_size(checkpoint) / 2);
        if (way == "empty") fs::resize_file(checkpoint, 0);
        if (way == "gone") fs::remove(checkpoint);
        const Outcome outcome = run_program(place.md(way, steps, bussi));
        BOOST_TEST(outcome.status == 0, outcome.output);
        BOOST_TEST(outcome.output.find("continuing from the previous one") != std::string::npos,
                   outcome.output);
        BOOST_TEST((content(place, way) == content(place, "whole")), way);
    }
}

BOOST_AUTO_TEST_CASE(when_both_checkpoints_are_damaged_nothing_is_overwritten) {
    const MoleculeWorkplace place;
    stop_half_way(place, "run");
    damage(place.folder.path() / "run" / "checkpoint.h5");
    damage(place.folder.path() / "run" / "checkpoint.prev.h5");
    const std::string thermo = io::read_text(place.file("run/thermo.csv")),
                      trajectory = io::read_text(place.file("run/trajectory.extxyz"));
    const Outcome outcome = run_program(place.md("run", steps, bussi));
    BOOST_TEST(outcome.status == 3, outcome.output);
    BOOST_TEST(outcome.output.find("damaged") != std::string::npos, outcome.output);
    BOOST_TEST((io::read_text(place.file("run/thermo.csv")) == thermo));
    BOOST_TEST((io::read_text(place.file("run/trajectory.extxyz")) == trajectory));
}

BOOST_AUTO_TEST_CASE(a_folder_removed_during_a_run_ends_it_with_a_file_error) {
    const MoleculeWorkplace place;
    BOOST_REQUIRE(run_program(place.md("whole", steps, bussi)).status == 0);
    RunningProgram program(place.md("removed", 100000, bussi));
    while (program.is_running() && !fs::exists(place.file("removed/checkpoint.h5")))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    fs::rename(place.file("removed"), place.file("moved"));
    const Outcome outcome = program.wait();
    BOOST_TEST(outcome.status == 3, outcome.output);
    BOOST_TEST(outcome.output.find("removed") != std::string::npos, outcome.output);
    // What was written before is untouched, and the command starts afresh.
    BOOST_TEST(!io::read_text(place.file("moved/thermo.csv")).empty());
    const Outcome again = run_program(place.md("removed", steps, bussi));
    BOOST_TEST(again.status == 0, again.output);
    BOOST_TEST((content(place, "removed") == content(place, "whole")));
}

BOOST_AUTO_TEST_SUITE_END()

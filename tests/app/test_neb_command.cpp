// SPDX-License-Identifier: Apache-2.0
// Barriers through the program: a path, its files, and what happens when it is interrupted.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "stembridge/io/text_file.hpp"
#include "workplace.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// The vinyl radical C2H3; its lone H is bent to one side or the other.
Structure vinyl(double side) {
    Structure s;
    const double a = units::angstrom;
    s.add(6, {0, 0, 0});
    s.add(6, {1.31 * a, 0, 0});
    s.add(1, {-0.56 * a, 0.93 * a, 0});
    s.add(1, {-0.56 * a, -0.93 * a, 0});
    s.add(1, {2.05 * a, side * 0.80 * a, 0});
    return s;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_neb_command)

BOOST_AUTO_TEST_CASE(the_inversion_of_vinyl_has_its_barrier_half_way_and_continues_after_a_kill) {
    const TemporaryFolder folder;
    const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
    io::write_structure(folder.path() / "start.extxyz", vinyl(1));
    Structure end = vinyl(-1);
    io::write_structure(folder.path() / "end.extxyz", end);
    const auto neb = [&](const std::string& out, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments = {"neb",
                                              file("start.extxyz"),
                                              file("end.extxyz"),
                                              "--out",
                                              file(out),
                                              "--images",
                                              "5",
                                              "--threads",
                                              "1",
                                              "--electronic-temperature",
                                              "1000 K",
                                              "--checkpoint-every",
                                              "1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    };
    const Outcome whole = run_program(neb("whole"));
    BOOST_REQUIRE_MESSAGE(whole.status == 0, whole.output);
    const auto result = nlohmann::json::parse(io::read_text(file("whole/neb.json")));
    BOOST_TEST(result["status"] == "ok");
    // By symmetry: the same states on both sides, the saddle half way with C-C-H in a line. Its height is
    // some tenths of an eV.
    BOOST_TEST(std::abs(result["reaction_energy_ev"].get<double>()) < 1e-3);
    BOOST_TEST(result["saddle_image"] == 3);
    BOOST_TEST(result["barrier_ev"].get<double>() > 0.05);
    BOOST_TEST(result["barrier_ev"].get<double>() < 0.8);
    const Structure saddle = io::read_structure(file("whole/saddle.extxyz"));
    const Eigen::Vector3d back = saddle.positions.col(0) - saddle.positions.col(1),
                          forth = saddle.positions.col(4) - saddle.positions.col(1);
    BOOST_TEST(back.normalized().dot(forth.normalized()) < std::cos(170 * M_PI / 180));
    for (const char* name : {"path.extxyz", "profile.csv", "profile.svg", "neb.csv"})
        BOOST_TEST(fs::exists(folder.path() / "whole" / name), name);
    BOOST_TEST(io::read_trajectory(folder.path() / "whole" / "path.extxyz").size() == 7);

    RunningProgram program(neb("killed"));
    while (program.is_running() && !fs::exists(folder.path() / "killed" / "checkpoint.prev.h5"))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.send(SIGKILL);
    program.wait();
    const Outcome again = run_program(neb("killed"));
    BOOST_TEST(again.status == 0, again.output);
    for (const char* name : {"path.extxyz", "profile.csv", "neb.csv"})
        BOOST_TEST((io::read_text(file("whole/" + std::string(name))) ==
                    io::read_text(file("killed/" + std::string(name)))),
                   name);
    BOOST_TEST(run_program(neb("killed")).output.find("not done again") != std::string::npos);

    // A report of the folder around it has the barrier and its curve.
    folder.write("config.resolved.toml", "[run]\nname = \"hop\"\n");
    const Outcome reported = run_program({"report", folder.path().string()});
    BOOST_TEST(reported.status == 0, reported.output);
    const auto report = nlohmann::json::parse(io::read_text(file("report/report.json")));
    BOOST_TEST(report["barriers"]["whole"]["barrier_ev"] == result["barrier_ev"]);
    BOOST_TEST(io::read_text(file("report/index.html")).find("barrier-whole") != std::string::npos);

    // Too few steps: exit status 4, the path so far is there.
    const Outcome few = run_program(neb("few", {"--max-steps", "2"}));
    BOOST_TEST(few.status == 4, few.output);
    BOOST_TEST(few.output.find("neb.max_steps") != std::string::npos, few.output);
    BOOST_TEST(nlohmann::json::parse(io::read_text(file("few/neb.json")))["status"] == "not_converged");

    end.atomic_numbers[0] = 14;
    io::write_structure(folder.path() / "end.extxyz", end);
    const Outcome other = run_program(neb("other"));
    BOOST_TEST(other.status == 2, other.output);
    BOOST_TEST(other.output.find("same atoms in the same order") != std::string::npos, other.output);
}

BOOST_AUTO_TEST_SUITE_END()

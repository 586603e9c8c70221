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
#include "stembridge/structure/analysis.hpp"
#include "stembridge/structure/builders.hpp"
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

    interrupt(
        neb("killed"), folder.path() / "killed",
        [&] { return fs::exists(folder.path() / "killed" / "checkpoint.prev.h5"); }, SIGKILL);
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

    // Too few steps: exit status 4, the path so far is there, and more steps go on from it.
    const Outcome few = run_program(neb("few", {"--max-steps", "2"}));
    BOOST_TEST(few.status == 4, few.output);
    BOOST_TEST(few.output.find("neb.max_steps") != std::string::npos, few.output);
    const auto unfinished = nlohmann::json::parse(io::read_text(file("few/neb.json")));
    BOOST_TEST(unfinished["status"] == "not_converged");
    // What is told is the band of the smallest force, which need not be the last one.
    const std::string course = io::read_text(file("few/neb.csv"));
    const std::string last = course.substr(course.rfind("\n2,") + 3);
    BOOST_TEST(unfinished["max_force_ev_per_angstrom"].get<double>() <= std::stod(last) * (1 + 1e-6));
    const Outcome more = run_program(neb("few"));
    BOOST_TEST(more.status == 0, more.output);
    BOOST_TEST(more.output.find("continuing after 2 steps") != std::string::npos, more.output);
    BOOST_TEST((io::read_text(file("few/path.extxyz")) == io::read_text(file("whole/path.extxyz"))));

    // A smaller force is one for the ends too.
    const auto force_of_start = [&] {
        return io::read_trajectory(file("force/start.extxyz"))
                   .back()
                   .arrays.at("forces")
                   .colwise()
                   .norm()
                   .maxCoeff() /
               units::electronvolt_per_angstrom;
    };
    BOOST_TEST(run_program(neb("force", {"--max-force", "1 eV/angstrom"})).status == 0);
    BOOST_TEST(force_of_start() > 0.05);
    const Outcome finer = run_program(neb("force", {"--max-force", "0.1 eV/angstrom"}));
    BOOST_TEST(finer.status == 0, finer.output);
    BOOST_TEST(force_of_start() <= 0.05);
    BOOST_TEST(finer.output.find("continuing") == std::string::npos, finer.output);

    end.atomic_numbers[0] = 14;
    io::write_structure(folder.path() / "end.extxyz", end);
    const Outcome other = run_program(neb("other"));
    BOOST_TEST(other.status == 2, other.output);
    BOOST_TEST(other.output.find("same atoms in the same order") != std::string::npos, other.output);
}

BOOST_AUTO_TEST_CASE(a_run_has_a_stage_for_the_path_to_a_given_state) {
    const TemporaryFolder folder;
    const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
    io::write_structure(folder.path() / "start.extxyz", vinyl(1));
    io::write_structure(folder.path() / "end.extxyz", vinyl(-1));
    const auto config = [&](const std::string& images) {
        return folder
            .write("run.toml",
                   "[run]\nfolder = \"run\"\nthreads = 1\nstages = [\"build\", \"neb\", \"report\"]\n"
                   "[build]\nstructure = \"start.extxyz\"\nremove_dangling = false\nterminate = \"none\"\n"
                   "[calculator]\nelectronic_temperature = \"1000 K\"\n"
                   "[neb]\nend = \"end.extxyz\"\nimages = " +
                       images + "\n")
            .string();
    };
    const Outcome outcome = run_program({"run", config("3")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const auto band = nlohmann::json::parse(io::read_text(file("run/6-neb/neb.json")));
    BOOST_TEST(std::abs(band["reaction_energy_ev"].get<double>()) < 1e-3);
    BOOST_TEST(band["saddle_image"] == 2);
    const auto report = nlohmann::json::parse(io::read_text(file("run/report/report.json")));
    BOOST_TEST(report["barriers"]["6-neb"] == band);
    const std::string page = io::read_text(file("run/report/index.html"));
    for (const char* part :
         {"figure-barrier-6-neb\"", "figure-barrier-6-neb-start\"", "figure-barrier-6-neb-saddle\"",
          "figure-barrier-6-neb-end\"", "Path: to end.extxyz"})
        BOOST_TEST(page.find(part) != std::string::npos, part);

    BOOST_TEST(run_program({"run", config("3")}).output.find("---") == std::string::npos);
    const Outcome finer = run_program({"run", config("5")});
    BOOST_TEST(finer.status == 0, finer.output);
    const auto again = nlohmann::json::parse(io::read_text(file("run/6-neb/neb.json")));
    BOOST_TEST(again["images"].size() == 7u);
    // The climbing image stands at the saddle, however many others there are: to the forces that are left,
    // 0.05 eV/angstrom over some hundredths of an angstrom.
    BOOST_TEST(std::abs(again["barrier_ev"].get<double>() - band["barrier_ev"].get<double>()) < 2e-3);

    // Another end is another path.
    io::write_structure(folder.path() / "end.extxyz", vinyl(-0.9));
    BOOST_TEST(run_program({"run", config("5")}).output.find("--- barrier") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_ends_of_a_path_are_made_from_the_sheet) {
    const TemporaryFolder folder;
    BuildReport hydrogen;
    const Structure flake =
        terminate_with_hydrogen(graphene_flake(6.5 * units::angstrom), {}, hydrogen).structure;
    io::write_structure(folder.path() / "flake.extxyz", flake);
    const auto ends = [&](const std::string& keys, const std::string& structure = "flake.extxyz") {
        const std::string config =
            folder
                .write("run.toml",
                       "[run]\nfolder = \"run\"\nthreads = 1\nstages = [\"build\", \"neb\"]\n"
                       "[build]\nstructure = \"" +
                           structure + "\"\nterminate = \"none\"\n[neb]\nrelax_ends = false\nimages = 1\n" +
                           // the ends alone are wanted: the path is given up at once
                           "max_steps = 1\nclimb = false\n" + keys)
                .string();
        return run_program({"run", config});
    };
    const auto read = [&](const std::string& name) {
        return io::read_structure(folder.path() / "run/6-neb" / name);
    };
    const auto says = [](const Outcome& outcome, const std::string& text) {
        BOOST_TEST(outcome.output.find(text) != std::string::npos, outcome.output);
    };

    // A bond is turned, and turned back: four hexagons become 5-7-7-5 and four hexagons again.
    says(ends("rotate = \"middle\"\n"), "turned by 90");
    const Structure turned = read("to.extxyz");
    const StructureAnalysis defective = analyze(turned);
    BOOST_REQUIRE(defective.defects.size() == 1u);
    BOOST_TEST(defective.defects.front().kind == "5-7-7-5");
    BOOST_TEST(analyze(read("from.extxyz")).defects.empty());
    io::write_structure(folder.path() / "turned.extxyz", turned);
    ends("rotate = \"defect\"\n", "turned.extxyz");
    BOOST_TEST(analyze(read("to.extxyz")).defects.empty());
    BOOST_TEST((analyze(read("to.extxyz")).ring_counts == analyze(flake).ring_counts));

    // What is held fixed stays, although the surroundings of the bond give way.
    ends("rotate = \"middle\"\nfix = [\"perimeter\"]\n");
    const Structure held = read("from.extxyz"), rim = read("to.extxyz");
    int n_same = 0;
    for (int atom = 0; atom < held.size(); ++atom)
        n_same += (held.positions.col(atom).array() == rim.positions.col(atom).array()).all() ? 1 : 0;
    BOOST_TEST(n_same >= 18 + 18);  // the H and the C that carry them

    // H goes from the top of one atom to the top of the next: a bond length apart, the sheet as it was.
    ends("adsorbate = \"H\"\nsites = [\"top\", \"top\"]\n");
    const Structure from = read("from.extxyz"), to = read("to.extxyz");
    const int n = flake.size();
    BOOST_REQUIRE(from.size() == n + 1);
    BOOST_TEST((from.positions.leftCols(n) - to.positions.leftCols(n)).norm() == 0);
    BOOST_TEST((from.positions.col(n) - to.positions.col(n)).norm() / units::angstrom == 1.42,
               boost::test_tools::tolerance(0.01));
    // H has an open shell: the number of unpaired electrons is the lowest one, and the same along the path.
    BOOST_TEST(io::read_text(folder.path() / "run/6-neb/ends.json").find("1 unpaired electrons") !=
               std::string::npos);

    const auto refused = [&](const std::string& keys, const std::string& text) {
        const Outcome outcome = ends(keys);
        BOOST_TEST(outcome.status == 2, outcome.output);
        says(outcome, text);
    };
    refused("", "give one of neb.end");
    refused("rotate = \"middle\"\nadsorbate = \"H\"\n", "give one of neb.end");
    refused("rotate = \"1-\"\n", "is no bond");
    refused("rotate = \"1-900\"\n", "does not exist");
    refused("rotate = \"defect\"\n", "needs a 5-7-7-5 defect");
    refused("rotate = \"middle\"\nfix = [\"xy\"]\n", "cannot turn");
    refused("adsorbate = \"H\"\nsites = [\"top\"]\n", "two are needed");
    refused("adsorbate = \"CH9\"\n", "unknown adsorbate");
    refused("end = \"turned.extxyz\"\nrotate = \"middle\"\n", "give one of neb.end");
    io::write_structure(folder.path() / "other.extxyz", vinyl(1));
    refused("end = \"other.extxyz\"\n", "same atoms in the same order");
}

BOOST_AUTO_TEST_SUITE_END()

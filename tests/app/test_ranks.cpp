// SPDX-License-Identifier: Apache-2.0
// Processes that share a run give the bits of a process by itself. Skipped in a build without MPI.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "small_training.hpp"
#include "workplace.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

bool without_mpi() {
    if (mpiexec().empty()) skip("built without MPI");
    return mpiexec().empty();
}

void same_runs(const MoleculeWorkplace& place, const std::string& one, const std::string& other) {
    for (const std::string& name : sweep_replicas)
        for (const char* result : {"thermo.csv", "trajectory.extxyz", "final.extxyz"})
            BOOST_TEST((io::read_text(place.file(one + "/4-md/" + name + "/" + result)) ==
                        io::read_text(place.file(other + "/4-md/" + name + "/" + result))),
                       name + "/" + result);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_ranks)

BOOST_AUTO_TEST_CASE(two_processes_share_a_sweep_and_any_number_continues_it_to_the_same_bits) {
    if (without_mpi()) return;
    const MoleculeWorkplace place;
    const std::string config = sweep_config(place, 120);
    const Outcome alone = run_program({"run", config, "--out", place.file("alone")});
    BOOST_REQUIRE_MESSAGE(alone.status == 0, alone.output);
    const Outcome shared = run_shared(2, {"run", config, "--out", place.file("shared")});
    BOOST_REQUIRE_MESSAGE(shared.status == 0, shared.output);
    same_runs(place, "alone", "shared");
    BOOST_TEST(nlohmann::json::parse(io::read_text(place.file("shared/manifest.json")))["processes"] == 2);
    const auto report = nlohmann::json::parse(io::read_text(place.file("shared/report/report.json")));
    BOOST_TEST(report["dynamics"].size() == sweep_replicas.size());
    const Outcome nothing = run_program({"run", config, "--out", place.file("shared")});
    BOOST_TEST(nothing.status == 0, nothing.output);
    BOOST_TEST(nothing.output.find("---") == std::string::npos, nothing.output);

    kill_when_grown({"run", config, "--out", place.file("killed")}, place.file("killed"),
                    "4-md/" + sweep_replicas[1] + "/thermo.csv", 2000);
    const Outcome continued = run_shared(3, {"run", config, "--out", place.file("killed")});
    BOOST_TEST(continued.status == 0, continued.output);
    BOOST_TEST(continued.output.find("continuing at step") != std::string::npos, continued.output);
    same_runs(place, "alone", "killed");
}

BOOST_AUTO_TEST_CASE(an_error_of_one_process_is_told_and_ends_the_run_of_all) {
    if (without_mpi()) return;
    const MoleculeWorkplace place;
    // At 9,000,000 K atoms move further in a step than they may: the second temperature, of the second
    // process.
    std::string text = io::read_text(sweep_config(place, 2));
    text.replace(text.find("\"200 K\", \"400 K\""), 16, "\"1 K\", \"9000000 K\"");
    text.replace(text.find("seeds = [1, 2]\n"), 15, "");
    const std::string config = place.folder.write("wild.toml", text).string();
    const Outcome outcome = run_shared(2, {"run", config, "--out", place.file("wild")});
    BOOST_TEST(outcome.status != 0, outcome.output);
    BOOST_TEST(outcome.output.find("process 1 of 2: ") != std::string::npos, outcome.output);
    const auto status = [&](const std::string& name) {
        return nlohmann::json::parse(
            io::read_text(place.file("wild/4-md/" + name + "/stage.json")))["status"];
    };
    BOOST_TEST(status("1K") == "done");
    BOOST_TEST(status("9000000K") == "failed");
    BOOST_TEST(fs::exists(place.file("wild/report/index.html")));

    // Before the processes part: the first one alone fails, the other does not wait for ever.
    const std::string missing =
        place.folder.write("missing.toml", "[build]\nstructure = \"nowhere.extxyz\"\n").string();
    const Outcome none = run_shared(2, {"run", missing, "--out", place.file("none")});
    BOOST_TEST(none.status != 0, none.output);
    BOOST_TEST(none.output.find("process 0 of 2: ") != std::string::npos, none.output);
}

BOOST_AUTO_TEST_CASE(two_processes_train_the_members_of_an_ensemble_to_the_same_bits) {
    if (without_mpi()) return;
    const TemporaryFolder folder;
    const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
    for (const std::string kind : {"baseline", "scratch"}) {
        const std::string config =
            folder
                .write(kind + ".toml",
                       small_training("[train.ensemble]\nkind = \"" + kind + "\"\nmembers = 3\nsteps = 8\n"))
                .string();
        const Outcome alone = run_program({"train", config, "--out", file(kind + "-alone")});
        if (alone.status == 5) {
            skip("built without LibTorch");
            return;
        }
        BOOST_REQUIRE_MESSAGE(alone.status == 0, alone.output);
        const Outcome shared = run_shared(2, {"train", config, "--out", file(kind + "-shared")});
        BOOST_REQUIRE_MESSAGE(shared.status == 0, shared.output);
        for (const std::string member : {"member-1", "member-2", "member-3"})
            BOOST_TEST((io::read_text(file(kind + "-alone/networks/" + member + ".h5")) ==
                        io::read_text(file(kind + "-shared/networks/" + member + ".h5"))),
                       kind + " " + member);
        BOOST_TEST(fs::exists(file(kind + "-shared/report/index.html")));
    }
}

BOOST_AUTO_TEST_CASE(a_program_without_mpi_refuses_to_do_the_same_twice) {
    if (!mpiexec().empty()) {
        BOOST_TEST_MESSAGE("built with MPI");
        return;
    }
    const MoleculeWorkplace place;
    ::setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
    const std::vector<Outcome> outcomes = {
        run_program({"run", sweep_config(place, 2), "--out", place.file("twice")}),
        run_program(place.md("twice", 2))};
    ::unsetenv("OMPI_COMM_WORLD_SIZE");
    for (const Outcome& outcome : outcomes) {
        BOOST_TEST(outcome.status == 2, outcome.output);
        BOOST_TEST(outcome.output.find("STEMBRIDGE_MPI") != std::string::npos, outcome.output);
    }
    BOOST_TEST(!fs::exists(place.file("twice/log.txt")));
}

BOOST_AUTO_TEST_SUITE_END()

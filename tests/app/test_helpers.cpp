// SPDX-License-Identifier: Apache-2.0
// Processes that share each diagonalisation give what one process gives. Skipped in a build without ELPA.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "workplace.hpp"

using namespace stembridge;
using namespace stembridge::testing;

namespace {

bool without_elpa(const MoleculeWorkplace& place) {
    const Outcome outcome = run_program(
        {"energy", place.file("start.extxyz"), "--parameters", place.file("set"), "--solver", "elpa"});
    const bool absent = outcome.status == 2 && outcome.output.find("STEMBRIDGE_ELPA") != std::string::npos;
    if (absent) skip("built without ELPA");
    return absent;
}

nlohmann::json json_of(const std::string& path) {
    return nlohmann::json::parse(io::read_text(path));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_helpers)

BOOST_AUTO_TEST_CASE(any_number_of_processes_gives_the_energy_and_forces_of_one) {
    const MoleculeWorkplace place;
    if (without_elpa(place)) return;
    io::write_structure(place.file("crystal.extxyz"), crystal());
    const std::string spins =
        place.folder
            .write("spins.toml",
                   "[calculator.spin.constants]\nH = [[-0.07]]\nC = [[-0.03, -0.025], [-0.025, "
                   "-0.023]]\nSi = [[-0.02, -0.015, 0], [-0.015, -0.014, 0], [0, 0, -0.03]]\n")
            .string();
    const std::vector<std::vector<std::string>> cases = {
        {"start.extxyz"},
        {"start.extxyz", "--spin-polarized", "--unpaired", "2"},
        {"crystal.extxyz", "--kpoints", "3 1 2"},
        {"crystal.extxyz", "--kpoints", "2 2 1", "--spin-polarized", "--electronic-temperature", "3000 K"}};
    for (const std::vector<std::string>& one : cases) {
        std::vector<std::string> arguments = {
            "energy", place.file(one.front()), "--parameters", place.file("set"), "--config", spins};
        arguments.insert(arguments.end(), one.begin() + 1, one.end());
        const auto with = [&](const std::string& solver) {
            std::vector<std::string> all = arguments;
            all.insert(all.end(), {"--solver", solver, "--json", place.file(solver + ".json")});
            return all;
        };
        const Outcome alone = run_program(with("dense"));
        BOOST_REQUIRE_MESSAGE(alone.status == 0, alone.output);
        const nlohmann::json expected = json_of(place.file("dense.json"));
        for (const int processes : {1, 2, 3, 4}) {
            const Outcome shared = run_shared(processes, with("elpa"));
            BOOST_REQUIRE_MESSAGE(shared.status == 0, shared.output);
            const nlohmann::json found = json_of(place.file("elpa.json"));
            BOOST_TEST(found["solver"] == "elpa");
            BOOST_TEST(found["scc_iterations"] == expected["scc_iterations"]);
            // Two exact methods: what is left is rounding.
            BOOST_CHECK_SMALL(
                found["energy_hartree"].get<double>() - expected["energy_hartree"].get<double>(), 1e-11);
            for (std::size_t atom = 0; atom < expected["forces_hartree_per_bohr"].size(); ++atom)
                for (std::size_t axis = 0; axis < 3; ++axis)
                    BOOST_CHECK_SMALL(found["forces_hartree_per_bohr"][atom][axis].get<double>() -
                                          expected["forces_hartree_per_bohr"][atom][axis].get<double>(),
                                      1e-10);
        }
    }
}

BOOST_AUTO_TEST_CASE(replicas_side_by_side_share_the_helpers) {
    const MoleculeWorkplace place;
    if (without_elpa(place)) return;
    const std::string text = io::read_text(sweep_config(place, 20));
    const auto config = [&](const std::string& solver) {
        const std::string table = "[calculator]\n";
        std::string changed = text;
        changed.replace(changed.find(table), table.size(), table + "solver = \"" + solver + "\"\n");
        return place.folder.write(solver + ".toml", changed).string();
    };
    const Outcome alone = run_program({"run", config("dense"), "--out", place.file("alone")});
    BOOST_REQUIRE_MESSAGE(alone.status == 0, alone.output);
    const Outcome helped = run_shared(2, {"run", config("elpa"), "--out", place.file("helped")});
    BOOST_REQUIRE_MESSAGE(helped.status == 0, helped.output);
    for (const std::string& name : sweep_replicas) {
        const auto last = [&](const std::string& run) {
            return io::read_structure(place.file(run + "/4-md/" + name + "/final.extxyz")).positions;
        };
        // 20 steps are too few for rounding to grow.
        BOOST_CHECK_SMALL((last("helped") - last("alone")).cwiseAbs().maxCoeff(), 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(helpers_leave_when_the_first_process_fails) {
    const MoleculeWorkplace place;
    if (without_elpa(place)) return;
    const Outcome missing = run_shared(2, {"energy", place.file("nowhere.extxyz"), "--solver", "elpa"});
    BOOST_TEST(missing.status == 3, missing.output);
    // Not converged: in the midst of the work.
    const Outcome failed =
        run_shared(2, {"energy", place.file("start.extxyz"), "--parameters", place.file("set"), "--solver",
                       "elpa", "--max-scc-iterations", "1", "--json", place.file("failed.json")});
    BOOST_TEST(failed.status == 4, failed.output);
    BOOST_TEST(json_of(place.file("failed.json"))["status"] == "not_converged");
    // A process needs a part of the matrices.
    Structure hydrogen;
    hydrogen.add(1, Eigen::Vector3d::Zero());
    hydrogen.add(1, Eigen::Vector3d(0, 0, 1.5));
    io::write_structure(place.file("hydrogen.extxyz"), hydrogen);
    const Outcome crowd = run_shared(
        3, {"energy", place.file("hydrogen.extxyz"), "--parameters", place.file("set"), "--solver", "elpa"});
    BOOST_TEST(crowd.status == 2, crowd.output);
    BOOST_TEST(crowd.output.find("3 processes cannot share") != std::string::npos, crowd.output);
}

BOOST_AUTO_TEST_CASE(processes_without_work_are_told) {
    const MoleculeWorkplace place;
    if (without_elpa(place)) return;
    const Outcome outcome = run_shared(
        2, {"energy", place.file("start.extxyz"), "--parameters", place.file("set"), "--solver", "dense"});
    BOOST_TEST(outcome.status == 0, outcome.output);
    BOOST_TEST(outcome.output.find("one of the 2 processes did all the work") != std::string::npos,
               outcome.output);
}

BOOST_AUTO_TEST_SUITE_END()

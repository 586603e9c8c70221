// SPDX-License-Identifier: Apache-2.0
// Ensembles, schedules, sweeps and the analysis of trajectories, through the program.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "stembridge/io/text_file.hpp"
#include "workplace.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

nlohmann::json json_file(const fs::path& path) {
    return nlohmann::json::parse(io::read_text(path));
}

/// The last value of a column of thermo.csv.
double last_value(const fs::path& table, const std::string& column) {
    std::istringstream lines(io::read_text(table));
    std::string header, line, last;
    std::getline(lines, header);
    while (std::getline(lines, line)) last = line;
    std::istringstream names(header), values(last);
    for (std::string name, value; std::getline(names, name, ',') && std::getline(values, value, ',');)
        if (name == column) return std::stod(value);
    throw std::runtime_error("no column " + column);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_dynamics_command)

BOOST_AUTO_TEST_CASE(charges_follow_the_atoms_only_where_they_are_self_consistent) {
    const MoleculeWorkplace place;
    const std::string config = place.folder.write("fixed.toml", "[calculator.scc]\nenabled = false\n");
    const Outcome plain = run_program(place.md("plain", 2, {"--config", config}));
    BOOST_TEST(plain.status == 0, plain.output);
    const Outcome refused = run_program(place.md("refused", 2, {"--config", config, "--scc-cycles", "1"}));
    BOOST_TEST(refused.status == 2);
    BOOST_TEST(refused.output.find("md.scc_cycles = 1 needs self-consistent charges") != std::string::npos,
               refused.output);
}

BOOST_AUTO_TEST_CASE(every_ensemble_runs_and_follows_a_schedule) {
    const MoleculeWorkplace place;
    for (const std::string ensemble : {"nvt", "nve", "langevin", "berendsen", "bussi", "rescale"}) {
        const Outcome plain =
            run_program(place.md(ensemble, 10, {"--ensemble", ensemble, "--temperature", "300 K"}));
        BOOST_TEST(plain.status == 0, plain.output);
        const auto summary = json_file(place.file(ensemble + "/stage.json"))["results"];
        BOOST_TEST(summary["ensemble"] == ensemble);
        BOOST_TEST(summary["target_k"].get<double>() == 300, boost::test_tools::tolerance(1e-9));
        const bool canonical = ensemble != "berendsen" && ensemble != "rescale";
        BOOST_TEST((plain.output.find("does not sample the canonical ensemble") == std::string::npos) ==
                   canonical);
    }
    const Outcome ramp = run_program(place.md(
        "ramp", 20, {"--ensemble", "rescale", "--schedule", "0 fs 100 K", "--schedule", "4 fs 900 K"}));
    BOOST_TEST(ramp.status == 0, ramp.output);
    BOOST_TEST(last_value(place.file("ramp/thermo.csv"), "target_k") == 900,
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(last_value(place.file("ramp/thermo.csv"), "temperature_k") == 900,
               boost::test_tools::tolerance(1e-9));
    const Outcome heated = run_program(
        place.md("heated", 10, {"--ensemble", "langevin", "--temperature", "500 K", "--heat-up", "4 fs"}));
    BOOST_TEST(heated.status == 0, heated.output);
    BOOST_TEST(last_value(place.file("heated/thermo.csv"), "target_k") == 250,
               boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(senseless_requests_are_refused_with_what_would_be_accepted) {
    const MoleculeWorkplace place;
    const auto refused = [&](const std::vector<std::string>& options, const std::string& reason) {
        const Outcome outcome = run_program(place.md("refused", 10, options));
        BOOST_TEST(outcome.status == 2, outcome.output);
        BOOST_TEST(outcome.output.find(reason) != std::string::npos, outcome.output);
        BOOST_TEST(!fs::exists(place.file("refused/thermo.csv")));
    };
    refused({"--ensemble", "npt"}, "bussi");
    refused({"--schedule", "500 K"}, "a time and a temperature");
    refused({"--schedule", "500 K 2 fs"}, "--schedule");
    refused({"--schedule", "5 fs 100 K", "--schedule", "1 fs 100 K"}, "times must increase");
    refused({"--schedule", "0 fs 100 K", "--temperature", "300 K"}, "leave md.temperature out");
    refused({"--ensemble", "nve", "--heat-up", "1 ps"}, "no bath");
    refused({"--ensemble", "nve", "--schedule", "0 fs 100 K"}, "no bath");
    refused({"--heat-up", "5"}, "unit");
    refused({"--ensemble", "bussi", "--thermostat-time", "0.01 fs"}, "time constant");
    refused({"--temperature", "300 K", "--temperature", "500 K"}, "`run`");
}

BOOST_AUTO_TEST_CASE(another_seed_is_another_run_beside_which_the_earlier_one_is_kept) {
    const MoleculeWorkplace place;
    fs::create_directory(place.file("a"));
    place.folder.write("a/notes.txt", "mine");
    std::vector<std::string> tables;
    for (const std::string seed : {"1", "2", "3"}) {
        const Outcome outcome = run_program(place.md("a", 10, {"--seed", seed}));
        BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
        BOOST_TEST(outcome.output.find("not done again") == std::string::npos, outcome.output);
        BOOST_TEST((outcome.output.find("are kept in a.old-") == std::string::npos) == (seed == "1"),
                   outcome.output);
        tables.push_back(io::read_text(place.file("a/thermo.csv")));
    }
    BOOST_TEST((tables[1] != tables[0]));
    BOOST_TEST((io::read_text(place.file("a.old-1/thermo.csv")) == tables[0]));
    BOOST_TEST((io::read_text(place.file("a.old-2/thermo.csv")) == tables[1]));
    for (const char* file : {"trajectory.extxyz", "checkpoint.h5", "stage.json"})
        BOOST_TEST(fs::exists(place.file("a.old-1/" + std::string(file))), file);
    // What was there before stays, and the same inputs move nothing.
    BOOST_TEST(fs::exists(place.file("a/notes.txt")));
    BOOST_TEST(run_program(place.md("a", 10, {"--seed", "3"})).output.find("not done again") !=
               std::string::npos);
    BOOST_TEST(!fs::exists(place.file("a.old-3")));
}

BOOST_AUTO_TEST_CASE(a_run_with_another_step_keeps_its_earlier_dynamics_out_of_the_report) {
    const MoleculeWorkplace place;
    const std::string config = sweep_config(place, 4);
    BOOST_REQUIRE(run_program({"run", config, "--out", place.file("run")}).status == 0);
    std::string text = io::read_text(config);
    text.replace(text.find("0.2 fs"), 6, "0.1 fs");
    io::write_text_atomically(config, text);
    const Outcome other = run_program({"run", config, "--out", place.file("run")});
    BOOST_REQUIRE_MESSAGE(other.status == 0, other.output);
    for (const std::string& name : sweep_replicas)
        BOOST_TEST(fs::exists(place.file("run/4-md/" + name + ".old-1/trajectory.extxyz")), name);
    const auto report = json_file(place.file("run/report/report.json"));
    BOOST_TEST(report["dynamics"].size() == sweep_replicas.size());
    BOOST_TEST(io::read_text(place.file("run/report/index.html")).find("old-1") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(given_velocities_are_told_and_give_way_to_a_start_temperature_and_to_seeds) {
    const MoleculeWorkplace place;
    BOOST_REQUIRE(run_program(place.md("hot", 10, {"--temperature", "900 K"})).status == 0);
    std::filesystem::copy_file(place.file("hot/final.extxyz"), place.file("start.extxyz"),
                               std::filesystem::copy_options::overwrite_existing);
    const std::string told = "starts from the velocities of the structure";
    const Outcome given = run_program(place.md("given", 2, {"--ensemble", "nve"}));
    BOOST_TEST(given.output.find(told) != std::string::npos, given.output);
    const Outcome cold =
        run_program(place.md("cold", 2, {"--ensemble", "nve", "--start-temperature", "0 K"}));
    BOOST_TEST(cold.output.find(told) == std::string::npos, cold.output);
    const auto first_kinetic = [&](const std::string& folder) {
        std::istringstream lines(io::read_text(place.file(folder + "/thermo.csv")));
        std::string line, value;
        std::getline(lines, line);
        for (int column = 0; column <= 4; ++column) std::getline(lines, value, ',');
        return std::stod(value);
    };
    BOOST_TEST(first_kinetic("given") == last_value(place.file("hot/thermo.csv"), "kinetic_ev"),
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(first_kinetic("cold") == 0);

    const std::string config = sweep_config(place, 2);
    const Outcome sweep = run_program({"run", config, "--out", place.file("sweep")});
    BOOST_REQUIRE_MESSAGE(sweep.status == 0, sweep.output);
    BOOST_TEST(sweep.output.find(told) == std::string::npos, sweep.output);
    BOOST_TEST((first_kinetic("sweep/4-md/200K-seed1") != first_kinetic("sweep/4-md/200K-seed2")));

    // At rest nothing moves.
    BOOST_REQUIRE(run_program({"relax", place.file("start.extxyz"), "--out", place.file("relaxed.extxyz"),
                               "--parameters", place.file("set"), "--max-force", "0.05 eV/angstrom"})
                      .status == 0);
    BOOST_TEST(io::read_structure(place.file("relaxed.extxyz")).velocities.cols() == 0);
}

BOOST_AUTO_TEST_CASE(dynamics_and_report_leave_alone_what_was_relaxed_from_another_structure) {
    const MoleculeWorkplace place;
    const auto config = [&](const std::string& stages, const std::string& temperatures) {
        return place.folder
            .write("run.toml", "[run]\nfolder = \"run\"\nthreads = 1\nstages = [" + stages +
                                   ", \"report\"]\n[build]\nstructure = \"start.extxyz\"\n"
                                   "remove_dangling = false\nterminate = \"none\"\nshort_bonds = \"remove\"\n"
                                   "[calculator]\nparameters = \"set\"\n"
                                   "[relax]\nmax_force = \"0.05 eV/angstrom\"\n"
                                   "[md]\nsteps = 2\ntimestep = \"0.2 fs\"\ntrajectory_every = 1\n"
                                   "temperature = [" +
                                   temperatures + "]\n")
            .string();
    };
    const Outcome first = run_program({"run", config(R"("build", "relax", "md")", R"("300 K", "500 K")")});
    BOOST_REQUIRE_MESSAGE(first.status == 0, first.output);
    const auto report = [&] { return json_file(place.file("run/report/report.json")); };
    BOOST_TEST(report()["dynamics"].size() == 2u);
    BOOST_TEST(!report()["relaxation"].is_null());
    // The same structure: what is relaxed stays good without the stage.
    const Outcome again = run_program({"run", config(R"("build", "md")", R"("300 K", "500 K")")});
    BOOST_TEST(again.output.find("---") == std::string::npos, again.output);

    Structure smaller = molecule();
    smaller = smaller.selected({0, 1, 2, 3});
    io::write_structure(place.folder.path() / "start.extxyz", smaller);
    const Outcome other = run_program({"run", config(R"("build", "md")", R"("300 K")")});
    BOOST_REQUIRE_MESSAGE(other.status == 0, other.output);
    BOOST_TEST(other.output.find("of another structure") != std::string::npos, other.output);
    BOOST_TEST(io::read_structure(place.file("run/4-md/300K/final.extxyz")).size() == 4);
    BOOST_TEST(report()["dynamics"].size() == 1u);
    BOOST_TEST((!report().contains("relaxation") || report()["relaxation"].is_null()));
    const std::string page = io::read_text(place.file("run/report/index.html"));
    BOOST_TEST(page.find("3-relax, 4-md/500K") != std::string::npos);
    // Written again from the folder alone it is the same.
    BOOST_TEST(run_program({"report", place.file("run")}).status == 0);
    BOOST_TEST(report()["dynamics"].size() == 1u);

    // What the build says of the electrons depends on the charge.
    std::string charged = io::read_text(place.file("run.toml"));
    charged.insert(charged.find("parameters"), "charge = 1\n");
    io::write_text_atomically(place.folder.path() / "run.toml", charged);
    const Outcome rebuilt = run_program({"run", place.file("run.toml"), "--stages", " build , report"});
    BOOST_TEST(rebuilt.output.find("--- building the cell") != std::string::npos, rebuilt.output);
}

BOOST_AUTO_TEST_CASE(a_sweep_that_is_killed_continues_each_of_its_runs_to_the_same_bits) {
    const MoleculeWorkplace place;
    const std::string config = sweep_config(place, 120);
    const Outcome whole = run_program({"run", config, "--out", place.file("whole")});
    BOOST_REQUIRE_MESSAGE(whole.status == 0, whole.output);
    for (const std::size_t bytes : {2000u, 9000u}) {
        kill_when_grown({"run", config, "--out", place.file("killed")}, place.file("killed"),
                        "4-md/" + sweep_replicas[1] + "/thermo.csv", bytes);
    }
    const Outcome again = run_program({"run", config, "--out", place.file("killed")});
    BOOST_TEST(again.status == 0, again.output);
    for (const auto& name : sweep_replicas)
        for (const char* result : {"thermo.csv", "trajectory.extxyz", "final.extxyz"})
            BOOST_TEST((io::read_text(place.file("whole/4-md/" + name + "/" + result)) ==
                        io::read_text(place.file("killed/4-md/" + name + "/" + result))),
                       name + "/" + result);
    BOOST_TEST((io::read_text(place.file("whole/4-md/200K-seed1/thermo.csv")) !=
                io::read_text(place.file("whole/4-md/200K-seed2/thermo.csv"))));
    const Outcome nothing = run_program({"run", config, "--out", place.file("killed")});
    BOOST_TEST(nothing.output.find("---") == std::string::npos, nothing.output);

    // The report has each of them, with what happened over time.
    const auto report = json_file(place.file("whole/report/report.json"));
    BOOST_REQUIRE(report["dynamics"].size() == 4);
    for (const auto& run : report["dynamics"]) {
        BOOST_TEST(run["over_time"]["frames"] == 25);
        BOOST_TEST(run["over_time"]["msd_angstrom2"]["z"].size() == 25u);
    }
    for (const char* name :
         {"rings.csv", "defects.csv", "bond_events.csv", "msd.csv", "charges.csv", "msd.svg"})
        BOOST_TEST(fs::exists(place.file("whole/4-md/200K-seed1/analysis/" + std::string(name))), name);
}

BOOST_AUTO_TEST_CASE(a_run_of_a_sweep_that_fails_does_not_stop_the_others) {
    const MoleculeWorkplace place;
    // At 9,000,000 K atoms move further in a step than they may.
    std::string text = io::read_text(sweep_config(place, 2));
    const auto replace = [&](const std::string& from, const std::string& to) {
        text.replace(text.find(from), from.size(), to);
    };
    replace("\"200 K\", \"400 K\"", "\"9000000 K\", \"1 K\"");
    replace("seeds = [1, 2]\n", "");
    io::write_text_atomically(place.folder.path() / "wild.toml", text);
    const Outcome outcome = run_program({"run", place.file("wild.toml"), "--out", place.file("wild")});
    BOOST_TEST(outcome.status == 4, outcome.output);
    BOOST_TEST(outcome.output.find("9000000K") != std::string::npos, outcome.output);
    BOOST_TEST(json_file(place.file("wild/4-md/1K/stage.json"))["status"] == "done");
    BOOST_TEST(json_file(place.file("wild/4-md/9000000K/stage.json"))["status"] == "failed");
}

BOOST_AUTO_TEST_CASE(analyze_tells_the_course_of_a_trajectory_and_writes_tables_and_curves) {
    const MoleculeWorkplace place;
    BOOST_REQUIRE(run_program(place.md("md", 200, {"--trajectory-every", "2"})).status == 0);
    const Outcome outcome = run_program({"analyze", place.file("md/trajectory.extxyz"), "--out",
                                         place.file("analysis"), "--json", place.file("analysis.json")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const auto result = json_file(place.file("analysis.json"));
    BOOST_TEST(result.contains("ring_counts"));  // of the last frame, as before
    const auto& course = result["over_time"];
    BOOST_TEST(course["frames"] == 101);
    BOOST_TEST(course["time_fs"].back().get<double>() == 40, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(course["vibrational_density"]["highest_wavenumber_cm1"].get<double>() == 41696,
               boost::test_tools::tolerance(1e-3));  // 1 / (2 c 0.4 fs)
    BOOST_TEST(std::abs(course["charges_e"]["C"]["mean"].get<double>()) < 2);
    for (const char* name : {"rings.csv", "msd.csv", "pair_distances.csv", "vibrations.csv", "charges.csv",
                             "ring_bonds.csv", "vibrations.svg", "charges.svg", "analysis.json"})
        BOOST_TEST(fs::exists(place.file("analysis/" + std::string(name))), name);

    // Frames too rare for C-H give no picture that would show its vibrations elsewhere.
    const Outcome rare =
        run_program({"analyze", place.file("md/trajectory.extxyz"), "--frame-spacing", "10 fs", "--out",
                     place.file("rare"), "--json", place.file("rare.json")});
    BOOST_TEST(rare.output.find("need frames every 5 fs") != std::string::npos, rare.output);
    BOOST_TEST(!fs::exists(place.file("rare/vibrations.svg")));
    BOOST_TEST(json_file(place.file("rare.json"))["over_time"]["vibrational_density"]["peak_cm1"].is_null());

    // One frame alone has no course; other atoms cannot be compared.
    const Outcome one = run_program(
        {"analyze", place.file("md/trajectory.extxyz"), "--frame", "0", "--json", place.file("one.json")});
    BOOST_TEST(one.status == 0, one.output);
    BOOST_TEST(!json_file(place.file("one.json")).contains("over_time"));
    const Outcome compared = run_program({"analyze", place.file("md/final.extxyz"), "--against",
                                          place.file("start.extxyz"), "--json", place.file("compared.json")});
    BOOST_TEST(compared.status == 0, compared.output);
    BOOST_TEST(json_file(place.file("compared.json"))["coordinates"]["atoms"] == 3);
    Structure other = molecule();
    other.atomic_numbers[0] = 14;
    io::write_structure(place.folder.path() / "other.extxyz", other);
    BOOST_TEST(
        run_program({"analyze", place.file("md/final.extxyz"), "--against", place.file("other.extxyz")})
            .status == 2);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Runs that are killed, stopped, or fail: nothing is lost, and what continues gives the same bits.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "run_program.hpp"
#include "stembridge/io/state_file.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "tb/synthetic.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// A folder with an invented parameter set and a molecule.
struct Workplace {
    Workplace() {
        fs::create_directory(folder.path() / "set");
        write_synthetic_set(folder.path() / "set");
        io::write_structure(folder.path() / "start.extxyz", molecule());
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }
    std::vector<std::string> md(const std::string& out, int steps = 300) const {
        return {"md",
                file("start.extxyz"),
                "--out",
                file(out),
                "--parameters",
                file("set"),
                "--steps",
                std::to_string(steps),
                "--timestep",
                "0.2 fs",
                "--temperature",
                "300 K",
                "--checkpoint-every",
                "7",
                "--trajectory-every",
                "5",
                "--threads",
                "1"};
    }
    TemporaryFolder folder;
};

bool has_lines(const fs::path& path, std::size_t lines) {
    std::ifstream file(path);
    const auto found = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
    return static_cast<std::size_t>(found) >= lines;
}

void check_same_results(const fs::path& a, const fs::path& b) {
    for (const char* name : {"thermo.csv", "trajectory.extxyz", "final.extxyz"})
        BOOST_TEST((io::read_text(a / name) == io::read_text(b / name)), name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_interruption)

BOOST_AUTO_TEST_CASE(a_run_killed_again_and_again_gives_the_same_files_byte_for_byte) {
    const Workplace place;
    const Outcome whole = run_program(place.md("whole"));
    BOOST_REQUIRE_MESSAGE(whole.status == 0, whole.output);
    int kills = 0;
    for (std::size_t lines = 20; lines < 300; lines += 65) {
        const Outcome killed = interrupt(
            place.md("killed"), place.folder.path() / "killed",
            [&] { return has_lines(place.file("killed/thermo.csv"), lines); }, SIGKILL);
        BOOST_TEST(killed.status == 128 + SIGKILL);
        ++kills;
    }
    BOOST_TEST(kills >= 2);
    BOOST_TEST(run_program(place.md("killed")).status == 0);
    check_same_results(place.folder.path() / "whole", place.folder.path() / "killed");
}

BOOST_AUTO_TEST_CASE(so_does_one_with_density_matrices_by_pole_expansion) {
    const Workplace place;
    const auto md = [&](const std::string& out, int cycles_per_step) {
        std::vector<std::string> command = place.md(out, 60);
        command.insert(command.end(),
                       {"--solver", "pole-expansion", "--scc-cycles", std::to_string(cycles_per_step)});
        return command;
    };
    for (const int cycles_per_step : {0, 1}) {
        const std::string whole = "whole" + std::to_string(cycles_per_step),
                          killed = "killed" + std::to_string(cycles_per_step);
        const Outcome outcome = run_program(md(whole, cycles_per_step));
        BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
        for (const std::size_t lines : {12, 33})
            BOOST_TEST(interrupt(
                           md(killed, cycles_per_step), place.folder.path() / killed,
                           [&] { return has_lines(place.file(killed + "/thermo.csv"), lines); }, SIGKILL)
                           .status == 128 + SIGKILL);
        BOOST_TEST(run_program(md(killed, cycles_per_step)).status == 0);
        check_same_results(place.folder.path() / whole, place.folder.path() / killed);
    }
}

BOOST_AUTO_TEST_CASE(sigterm_stops_after_the_step_with_a_checkpoint_and_the_same_command_continues) {
    const Workplace place;
    BOOST_REQUIRE(run_program(place.md("whole")).status == 0);
    const Outcome outcome = interrupt(
        place.md("stopped"), place.folder.path() / "stopped",
        [&] { return has_lines(place.file("stopped/thermo.csv"), 40); }, SIGTERM);
    BOOST_TEST(outcome.status == 6, outcome.output);
    BOOST_TEST(outcome.output.find("checkpoint") != std::string::npos);
    BOOST_TEST(run_program(place.md("stopped")).status == 0);
    check_same_results(place.folder.path() / "whole", place.folder.path() / "stopped");
}

BOOST_AUTO_TEST_CASE(dynamics_continue_when_rows_that_the_checkpoint_counts_are_lost) {
    const Workplace place;
    BOOST_REQUIRE(run_program(place.md("whole")).status == 0);
    const fs::path folder = place.folder.path() / "lost", table = folder / "thermo.csv";
    interrupt(
        place.md("lost"), folder, [&] { return has_lines(table, 60); }, SIGKILL);
    // As after a power cut: the rows since the checkpoint before the last one are gone.
    const auto rows = io::read_state(folder / "checkpoint.prev.h5").integer("rows");
    std::istringstream lines(io::read_text(table));
    std::string kept, line;
    for (std::int64_t row = 0; row <= rows && std::getline(lines, line); ++row) kept += line + "\n";
    io::write_text_atomically(table, kept);
    const Outcome again = run_program(place.md("lost"));
    BOOST_TEST(again.status == 0, again.output);
    BOOST_TEST(again.output.find("warning: " + table.string()) != std::string::npos, again.output);
    check_same_results(place.folder.path() / "whole", folder);
}

BOOST_AUTO_TEST_CASE(dynamics_write_checkpoints_as_often_as_the_interval_says) {
    const Workplace place;
    const auto has_written_two = [&](const std::string& out, const std::string& interval) {
        const fs::path config =
            place.folder.write(out + ".toml", "[run]\ncheckpoint_interval = \"" + interval +
                                                  "\"\n[md]\ncheckpoint_every = 1000\n");
        const Outcome outcome = run_program({"md", place.file("start.extxyz"), "--out", place.file(out),
                                             "--parameters", place.file("set"), "--steps", "10", "--timestep",
                                             "0.2 fs", "--config", config.string()});
        BOOST_TEST(outcome.status == 0, outcome.output);
        return fs::exists(place.folder.path() / out / "checkpoint.prev.h5");
    };
    BOOST_TEST(has_written_two("often", "1 fs"));
    BOOST_TEST(!has_written_two("once", "60 min"));  // at the end alone
}

BOOST_AUTO_TEST_CASE(a_finished_run_is_not_done_again_but_one_with_another_option_is) {
    const Workplace place;
    BOOST_REQUIRE(run_program(place.md("run", 20)).status == 0);
    const auto written = fs::last_write_time(place.folder.path() / "run" / "thermo.csv");
    BOOST_TEST(run_program(place.md("run", 20)).output.find("not done again") != std::string::npos);
    BOOST_TEST((fs::last_write_time(place.folder.path() / "run" / "thermo.csv") == written));
    BOOST_TEST(run_program(place.md("run", 25)).status == 0);
    std::ifstream table(place.folder.path() / "run" / "thermo.csv");
    BOOST_TEST(std::count(std::istreambuf_iterator<char>(table), {}, '\n') == 27);  // header and steps 0..25
}

BOOST_AUTO_TEST_CASE(more_steps_continue_finished_dynamics_to_the_bits_of_a_run_at_once) {
    const Workplace place;
    const auto run = [&](const std::string& out, int steps, const std::vector<std::string>& more) {
        std::vector<std::string> command = place.md(out, steps);
        command.insert(command.end(), more.begin(), more.end());
        const Outcome outcome = run_program(command);
        BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
        return outcome.output;
    };
    const std::vector<std::vector<std::string>> kinds = {
        {}, {"--ensemble", "langevin"}, {"--ensemble", "rescale", "--heat-up", "22 fs"}};
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        const std::string whole = "whole" + std::to_string(k), parts = "parts" + std::to_string(k);
        run(whole, 120, kinds[k]);
        run(parts, 100, kinds[k]);
        BOOST_TEST(run(parts, 120, kinds[k]).find("continuing at step 100") != std::string::npos);
        check_same_results(place.folder.path() / whole, place.folder.path() / parts);
    }
    // Fewer take nothing back.
    BOOST_TEST(run("parts0", 50, {}).find("120 steps are done already") != std::string::npos);
    check_same_results(place.folder.path() / "whole0", place.folder.path() / "parts0");
    const auto record = nlohmann::json::parse(io::read_text(place.file("parts0/stage.json")));
    BOOST_TEST(record["results"]["steps"] == 120);
}

BOOST_AUTO_TEST_CASE(a_second_process_is_kept_out_of_a_folder_in_use) {
    const Workplace place;
    RunningProgram first(place.md("shared", 100000));
    while (first.is_running() && !has_lines(place.file("shared/thermo.csv"), 20))
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::vector<std::string> other_inputs = place.md("shared", 10);
    other_inputs.insert(other_inputs.end(), {"--seed", "2"});
    for (const auto& command : {place.md("shared", 100000), other_inputs}) {
        const Outcome second = run_program(command);
        BOOST_TEST(second.status == 3, second.output);
        BOOST_TEST(second.output.find("is in use by process") != std::string::npos, second.output);
    }
    BOOST_TEST(!fs::exists(place.file("shared.old-1")));
    BOOST_TEST(
        (nlohmann::json::parse(io::read_text(place.file("shared/stage.json")))["status"] == "running"));
    first.send(SIGTERM);
    const Outcome stopped = first.wait();
    BOOST_TEST(stopped.status == 6, stopped.output);
    BOOST_TEST(run_program(place.md("shared", 10)).status == 0);  // the folder is free again
}

BOOST_AUTO_TEST_CASE(a_relaxation_that_is_stopped_continues_to_the_same_bits) {
    for (const std::string solver : {"auto", "pole-expansion"}) {
        const Workplace place;
        const auto relax = [&](const std::string& out) {
            return std::vector<std::string>{
                "relax",        place.file("start.extxyz"), "--out",     place.file(out),
                "--parameters", place.file("set"),          "--threads", "1",
                "--max-force",  "1e-4 eV/angstrom",         "--solver",  solver};
        };
        const Outcome whole = run_program(relax("whole.extxyz"));
        BOOST_REQUIRE_MESSAGE(whole.status == 0, whole.output);
        const Outcome stopped = interrupt(
            relax("stopped.extxyz"), place.folder.path() / "stopped.relax",
            [&] { return has_lines(place.file("stopped.relax/relax.csv"), 6); }, SIGTERM);
        BOOST_TEST(stopped.status == 6, stopped.output);
        BOOST_TEST(run_program(relax("stopped.extxyz")).status == 0);
        BOOST_TEST(
            (io::read_text(place.file("whole.extxyz")) == io::read_text(place.file("stopped.extxyz"))));
        BOOST_TEST((io::read_text(place.file("whole.relax/relax.csv")) ==
                    io::read_text(place.file("stopped.relax/relax.csv"))));
    }
}

BOOST_AUTO_TEST_CASE(fixed_atoms_do_not_move_by_a_bit) {
    const Workplace place;
    BOOST_REQUIRE(
        run_program({"relax", place.file("start.extxyz"), "--out", place.file("relaxed.extxyz"),
                     "--parameters", place.file("set"), "--fix", "indices:1", "--fix", "indices:2:z"})
            .status == 0);
    const Structure before = io::read_structure(place.file("start.extxyz"));
    const Structure after = io::read_structure(place.file("relaxed.extxyz"));
    BOOST_TEST((before.positions.col(0).array() == after.positions.col(0).array()).all());
    BOOST_TEST(before.positions(2, 1) == after.positions(2, 1));
    BOOST_TEST((before.positions.col(2) - after.positions.col(2)).norm() > 1e-6);
}

BOOST_AUTO_TEST_CASE(scc_that_fails_leaves_a_result_with_its_status_and_exit_code_4) {
    const Workplace place;
    const Outcome outcome =
        run_program({"energy", place.file("start.extxyz"), "--parameters", place.file("set"),
                     "--max-scc-iterations", "1", "--json", place.file("energy.json")});
    BOOST_TEST(outcome.status == 4, outcome.output);
    BOOST_TEST(outcome.output.find("SCC") != std::string::npos, outcome.output);
    const auto result = nlohmann::json::parse(std::ifstream(place.file("energy.json")));
    BOOST_TEST(result["status"] == "not_converged");
    BOOST_TEST(result["scc_iterations"] == 1);
    BOOST_TEST(result["scc_energy_bound_hartree"].get<double>() > 0);
    BOOST_TEST(result["scc_fallback"].is_null());
    BOOST_CHECK_CLOSE(result["electronic_temperature_k"].get<double>(), 300.0, 1e-9);
}

BOOST_AUTO_TEST_CASE(a_relaxation_out_of_steps_keeps_its_best_structure_and_says_so) {
    const Workplace place;
    const Outcome outcome =
        run_program({"relax", place.file("start.extxyz"), "--out", place.file("relaxed.extxyz"),
                     "--parameters", place.file("set"), "--max-steps", "2"});
    BOOST_TEST(outcome.status == 4, outcome.output);
    BOOST_TEST(outcome.output.find("max_steps") != std::string::npos, outcome.output);
    BOOST_TEST(!fs::exists(place.file("relaxed.extxyz")));
    BOOST_TEST(io::read_structure(place.file("relaxed.relax/last.extxyz")).size() == molecule().size());
}

BOOST_AUTO_TEST_CASE(more_steps_or_a_smaller_force_continue_a_relaxation_instead_of_starting_it_again) {
    const Workplace place;
    const auto relax = [&](const std::string& out, const std::string& steps, const std::string& force) {
        return run_program({"relax", place.file("start.extxyz"), "--out", place.file(out), "--parameters",
                            place.file("set"), "--threads", "1", "--max-steps", steps, "--max-force", force});
    };
    BOOST_REQUIRE(relax("whole.extxyz", "500", "1e-2 eV/angstrom").status == 0);
    BOOST_TEST(relax("parts.extxyz", "3", "1e-2 eV/angstrom").status == 4);
    const Outcome more = relax("parts.extxyz", "500", "1e-2 eV/angstrom");
    BOOST_TEST(more.status == 0, more.output);
    BOOST_TEST(more.output.find("continuing after 3") != std::string::npos, more.output);
    BOOST_TEST((io::read_text(place.file("whole.extxyz")) == io::read_text(place.file("parts.extxyz"))));
    BOOST_TEST((io::read_text(place.file("whole.relax/relax.csv")) ==
                io::read_text(place.file("parts.relax/relax.csv"))));
    BOOST_TEST(relax("parts.extxyz", "600", "1e-2 eV/angstrom").output.find("not done again") !=
               std::string::npos);
    const Outcome fine = relax("parts.extxyz", "500", "1e-4 eV/angstrom");
    BOOST_TEST(fine.status == 0, fine.output);
    BOOST_TEST(fine.output.find("continuing after") != std::string::npos, fine.output);
    // One that aims there from the start makes its charges exact at other steps, and ends in the same
    // minimum.
    BOOST_REQUIRE(relax("fine.extxyz", "500", "1e-4 eV/angstrom").status == 0);
    const auto energy = [&](const std::string& name) {
        const auto stage = nlohmann::json::parse(io::read_text(place.file(name + ".relax/stage.json")));
        return stage["results"]["energy_hartree"].get<double>();
    };
    BOOST_CHECK_SMALL(energy("parts") - energy("fine"), 1e-8);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_a_file_error_and_the_run_continues_once_there_is_room) {
    const Workplace place;
    BOOST_REQUIRE(run_program(place.md("whole")).status == 0);
    const Outcome full = run_program(place.md("full"), 40000);
    BOOST_TEST(full.status == 3, full.output);
    const Outcome again = run_program(place.md("full"));
    BOOST_TEST(again.status == 0, again.output);
    check_same_results(place.folder.path() / "whole", place.folder.path() / "full");
}

BOOST_AUTO_TEST_CASE(vibrations_that_are_killed_continue_with_any_number_of_threads) {
    const Workplace place;
    const auto vibrations = [&](const std::string& out, const std::string& threads) {
        return std::vector<std::string>{
            "vibrations",   place.file("start.extxyz"), "--out",     place.file(out),
            "--parameters", place.file("set"),          "--threads", threads};
    };
    const auto frequencies = [&](const std::string& out) {
        const auto result =
            nlohmann::json::parse(io::read_text(place.folder.path() / out / "vibrations.json"));
        return result["unprojected_frequencies_cm1"].get<std::vector<double>>();
    };
    const Outcome whole = run_program(vibrations("whole", "1"));
    BOOST_REQUIRE_MESSAGE(whole.status == 0, whole.output);
    interrupt(
        vibrations("killed", "2"), place.folder.path() / "killed",
        [&] { return fs::exists(place.file("killed/checkpoint.h5")); }, SIGKILL);
    const Outcome continued = run_program(vibrations("killed", "3"));
    BOOST_REQUIRE_MESSAGE(continued.status == 0, continued.output);
    // The Hessian is the same to 1e-10 hartree/bohr^2, which is what rounding leaves of forces (1e-12) over
    // two displacements (0.02 bohr). A frequency w moves by dH / (2 m w): 1e-6 cm^-1 above 100 cm^-1 for
    // hydrogen; the rest are the six motions without energy.
    const auto a = frequencies("whole"), b = frequencies("killed");
    BOOST_REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k)
        if (std::abs(a[k]) > 100) BOOST_TEST(std::abs(a[k] - b[k]) < 1e-5);

    // What is computed from the Hessian alone does not cost another one.
    std::vector<std::string> warmer = vibrations("whole", "1");
    warmer.insert(warmer.end(), {"--temperature", "500 K", "--broadening", "20 cm^-1"});
    const Outcome again = run_program(warmer);
    BOOST_TEST(again.status == 0, again.output);
    BOOST_TEST(again.output.find("continuing after 5 of 5 atoms") != std::string::npos, again.output);
    const auto result = nlohmann::json::parse(io::read_text(place.file("whole/vibrations.json")));
    BOOST_TEST(std::abs(result["thermochemistry"]["temperature_k"].get<double>() - 500) < 1e-9);
    BOOST_TEST((frequencies("whole") == a));
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Studies of one structure: selective dynamics, adsorption at every site, their restart, and what is refused.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/structure/builders.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;
namespace tt = boost::test_tools;
using nlohmann::json;

namespace {

/// Coronene as input: 24 C and 12 H with the shipped tables.
struct Workplace {
    TemporaryFolder folder;
    Workplace() {
        BuildReport report;
        const Structure flake =
            terminate_with_hydrogen(graphene_flake(4.5 * units::angstrom), {}, report).structure;
        io::write_structure(folder.path() / "flake.extxyz", flake);
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }
    json read(const std::string& name) const {
        std::ifstream stream(folder.path() / name);
        return json::parse(stream);
    }
    std::string config(const std::string& text) const {
        io::write_text_atomically(folder.path() / "run.toml",
                                  "[run]\nfolder = \"run\"\nthreads = 1\n"
                                  "[build]\nstructure = \"flake.extxyz\"\nterminate = \"none\"\n" +
                                      text);
        return file("run.toml");
    }
};

bool says(const Outcome& outcome, const std::string& text) {
    return outcome.output.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_studies)

BOOST_AUTO_TEST_CASE(selective_dynamics_compares_variants_and_keeps_fixed_bits) {
    const Workplace place;
    const std::string config =
        place.config("[run.stages_are]\n");  // a typo in a table is told before anything is done
    BOOST_TEST(run_program({"run", config}).status == 2);

    io::write_text_atomically(place.folder.path() / "run.toml",
                              "[run]\nfolder = \"run\"\nthreads = 1\nstages = [\"build\", \"selective\", "
                              "\"report\"]\n[build]\nstructure = \"flake.extxyz\"\nterminate = \"none\"\n"
                              "[selective]\nvariants = { free = [], rim = [\"perimeter\"], flat = [\"z\"] }\n"
                              "[relax]\nmax_force = \"0.02 eV/angstrom\"\n");
    // Too few steps: more of them go on from where it gave up, and what is done stays.
    const std::string whole = io::read_text(place.file("run.toml"));
    io::write_text_atomically(place.folder.path() / "run.toml", whole + "max_steps = 3\n");
    BOOST_TEST(says(run_program({"run", place.file("run.toml")}), "raise relax.max_steps"));
    io::write_text_atomically(place.folder.path() / "run.toml", whole);
    const Outcome outcome = run_program({"run", place.file("run.toml")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(says(outcome, "continuing after 3"));
    io::write_text_atomically(place.folder.path() / "run.toml", whole + "max_steps = 999\n");
    BOOST_TEST(!says(run_program({"run", place.file("run.toml")}), "relaxing C"));
    io::write_text_atomically(place.folder.path() / "run.toml", whole);
    const json study = place.read("run/3-selective/selective.json");
    BOOST_REQUIRE(study["variants"].size() == 3u);
    double free = 0, held = 0;
    for (const json& variant : study["variants"]) {
        BOOST_TEST(variant["status"] == "done");
        BOOST_TEST(variant["fixed_coordinates_that_moved"] == 0);
        BOOST_TEST(std::abs(variant["electronic_temperature_k"].get<double>() - 300) < 1e-6);
        (variant["name"] == "free" ? free : held) = variant["energy_zero_hartree"].get<double>();
        if (variant["name"] == "free") BOOST_TEST(variant["fixed_coordinates"] == 0);
        if (variant["name"] == "flat") {
            BOOST_TEST(variant["fixed_coordinates"] == 36);
            BOOST_TEST(variant["corrugation_angstrom"] == 0.0);
        }
    }
    BOOST_TEST(free <= held + 1e-6);
    BOOST_TEST(!study.contains("warning"));
    BOOST_TEST(fs::exists(place.folder.path() / "run/report/index.html"));
    BOOST_TEST(place.read("run/report/report.json")["selective"]["variants"].size() == 3u);

    // Again: nothing is done twice.
    const Outcome again = run_program({"run", place.file("run.toml")});
    BOOST_TEST(again.status == 0);
    BOOST_TEST(says(again, "unchanged, not done again"));

    // The same study for VASP, flags and all.
    const Outcome jobs = run_program({"vasp", "study", place.file("run"), "--out", place.file("jobs")});
    BOOST_REQUIRE_MESSAGE(jobs.status == 0, jobs.output);
    const Structure poscar = io::read_structure(place.folder.path() / "jobs/selective/flat/POSCAR");
    BOOST_REQUIRE(poscar.fixed.cols() == poscar.size());
    for (int atom = 0; atom < poscar.size(); ++atom) {
        BOOST_TEST(!poscar.is_fixed(0, atom));
        BOOST_TEST(poscar.is_fixed(2, atom));
    }
    BOOST_TEST(fs::exists(place.folder.path() / "jobs/selective/free/INCAR"));
}

BOOST_AUTO_TEST_CASE(adsorption_at_every_site_is_resumable_and_names_its_sign) {
    const Workplace place;
    const std::vector<std::string> command = {"adsorb",
                                              place.file("flake.extxyz"),
                                              "--species",
                                              "H",
                                              "--enumerate",
                                              "--sites",
                                              "top,hollow",
                                              "--radius",
                                              "1.6 angstrom",
                                              "--max-force",
                                              "0.05 eV/angstrom",
                                              "--threads",
                                              "1",
                                              "--out",
                                              place.file("study")};
    const Outcome outcome = run_program(command);
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(says(outcome, "positive = bound"));
    const json study = place.read("study/adsorption.json");
    BOOST_TEST(study["sign_convention"] == "positive = bound: E_sheet + E_adsorbate - E_total");
    BOOST_TEST(study["spin_polarized"] == true);
    BOOST_TEST(study["alone"]["H"]["unpaired"] == 1);
    // A free moment and the unpaired electron of H alone are tried, and the lower one counts.
    for (const json& job : study["jobs"]) {
        BOOST_REQUIRE(job["spin_states"].size() == 2u);
        double lowest = 0;
        for (const json& state : job["spin_states"])
            lowest = std::min(lowest, state["energy_zero_hartree"].get<double>());
        BOOST_TEST(job["energy_zero_hartree"].get<double>() == lowest);
        BOOST_TEST(
            fs::exists(place.folder.path() / "study" / job["folder"].get<std::string>() / "relaxed.extxyz"));
    }
    BOOST_REQUIRE(study["jobs"].size() == 2u);  // the middle of coronene: one hollow, one kind of atom
    for (const json& job : study["jobs"]) {
        BOOST_TEST(job["status"] == "done");
        const double expected = (job["sheet_energy_zero_hartree"].get<double>() +
                                 study["alone"]["H"]["energy_zero_hartree"].get<double>() -
                                 job["energy_zero_hartree"].get<double>()) *
                                27.211386;
        BOOST_TEST(job["binding_energy_ev"].get<double>() == expected, tt::tolerance(1e-4));
        if (job["kind"] != "top") continue;
        // H binds on top of a C atom, at the length of a C-H bond.
        BOOST_TEST(job["multiplicity"] == 6);
        BOOST_TEST(job["binding_energy_ev"].get<double>() > 0.1);
        BOOST_TEST(job["place"]["nearest_angstrom"].get<double>() == 1.13, tt::tolerance(0.05));
        BOOST_TEST(job["place"]["kind"] == "top");
    }
    // Again: each relaxation is found done.
    const auto before = fs::last_write_time(place.folder.path() / "study/sheet/relaxed.extxyz");
    const Outcome again = run_program(command);
    BOOST_TEST(again.status == 0);
    BOOST_TEST((fs::last_write_time(place.folder.path() / "study/sheet/relaxed.extxyz") == before));
}

BOOST_AUTO_TEST_CASE(chromium_keeps_its_six_unpaired_electrons_wherever_the_relaxation_starts) {
    const Workplace place;
    io::write_structure(place.folder.path() / "sheet.extxyz", graphene_sheet(4, 2, 1.425 * units::angstrom));
    // Started 1.62 angstrom high a free moment goes to zero and stays there: 1.7 eV above the septet.
    const Outcome outcome = run_program(
        {"adsorb", place.file("sheet.extxyz"), "--species", "Cr", "--enumerate", "--sites", "hollow",
         "--radius", "1.5 angstrom", "--heights", "1.62 angstrom", "--electronic-temperature", "1000 K",
         "--max-force", "0.1 eV/angstrom", "--threads", "1", "--out", place.file("study")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const json study = place.read("study/adsorption.json");
    BOOST_TEST(study["alone"]["Cr"]["unpaired"] == 6);
    const json& job = study["jobs"][0];
    BOOST_TEST(job["moment"].get<double>() == 6.0, tt::tolerance(0.01));
    BOOST_TEST(job["binding_energy_ev"].get<double>() > 0);  // the set was fitted to Cr that is bound weakly
    BOOST_TEST(job["binding_energy_ev"].get<double>() < 1);
    BOOST_TEST(job["place"]["height_angstrom"].get<double>() > 2.2);
}

BOOST_AUTO_TEST_CASE(jobs_for_vasp_have_the_settings_of_the_run) {
    const Workplace place;
    const fs::path run = place.folder.path() / "run";
    const auto has = [&](const std::string& file, const std::string& line) {
        return io::read_text(place.folder.path() / "jobs" / file).find(line) != std::string::npos;
    };
    for (const char* stage : {"2-build", "3-relax", "4-md/300K", "5-adsorb/sites/H-01"})
        fs::create_directories(run / stage);
    const Structure flake = io::read_structure(place.folder.path() / "flake.extxyz");
    Structure with_h = flake;
    with_h.add(1, flake.positions.col(0) + Eigen::Vector3d(0, 0, 2.2));
    io::write_structure(run / "2-build/structure.extxyz", flake);
    io::write_structure(run / "3-relax/relaxed.extxyz", flake);
    io::write_structure(run / "5-adsorb/sites/H-01/start.extxyz", with_h);
    io::write_text_atomically(
        run / "5-adsorb/adsorption.json",
        R"({"spin_polarized": true, "alone": {"H": {"unpaired": 1}}, "jobs": [{"name": "H-01", "species": "H",
            "site": "top", "energy_zero_hartree": -5.0, "spin_states": [
            {"unpaired": null, "energy_zero_hartree": -4.9}, {"unpaired": 3, "energy_zero_hartree": -5.0}]}]})");
    io::write_text_atomically(run / "config.resolved.toml",
                              "[calculator]\nkpoints = [3, 2, 1]\nspin = { polarized = true, unpaired = 4 }\n"
                              "[relax]\nfix = [\"species:H\"]\nmax_force = \"0.02 eV/angstrom\"\n"
                              "[md]\nfix = [\"indices:1\"]\ntimestep = \"0.5 fs\"\nsteps = 400\n");
    const Outcome outcome = run_program({"vasp", "study", run.string(), "--out", place.file("jobs")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(has("relaxation/KPOINTS", "3 2 1"));
    BOOST_TEST(has("relaxation/INCAR", "EDIFFG  = -0.02"));
    for (const char* job : {"relaxation", "dynamics/300K"})
        BOOST_TEST(has(std::string(job) + "/INCAR", "NUPDOWN = 4"));
    BOOST_TEST(has("dynamics/300K/INCAR", "POTIM   = 0.5"));
    BOOST_TEST(has("dynamics/300K/INCAR", "NSW     = 400"));
    BOOST_TEST(has("adsorption/H-01/INCAR", "NUPDOWN = 3"));
    BOOST_TEST(has("adsorption/alone-H/INCAR", "NUPDOWN = 1"));
    BOOST_TEST(!has("adsorption/sheet/INCAR", "NUPDOWN"));
    const auto n_fixed = [&](const std::string& job) {
        return io::read_structure(place.folder.path() / "jobs" / job / "POSCAR").fixed.cast<int>().sum();
    };
    BOOST_TEST(n_fixed("relaxation") == 3 * 12);
    BOOST_TEST(n_fixed("dynamics/300K") == 3);
    BOOST_TEST(n_fixed("adsorption/sheet") == 3 * 12);
    BOOST_TEST(n_fixed("adsorption/alone-H") == 0);

    // What began with another structure than the built one is left out.
    Structure moved = flake;
    moved.positions.array() += 1;
    io::write_structure(run / "3-relax/relaxed.extxyz", moved);
    fs::create_directories(run / "4-md/500K");
    for (const char* stage : {"3-relax", "4-md/500K", "5-adsorb"})
        io::write_text_atomically(run / stage / "stage.json", R"({"start": "another"})");
    const Outcome later = run_program({"vasp", "study", run.string(), "--out", place.file("later")});
    BOOST_REQUIRE_MESSAGE(later.status == 0, later.output);
    BOOST_TEST(says(later, "5-adsorb is left out"));
    BOOST_TEST(!fs::exists(place.folder.path() / "later/adsorption"));
    BOOST_TEST(!fs::exists(place.folder.path() / "later/dynamics/500K"));
    BOOST_TEST((io::read_text(place.folder.path() / "later/dynamics/300K/POSCAR") ==
                io::read_text(place.folder.path() / "jobs/dynamics/300K/POSCAR")));
}

BOOST_AUTO_TEST_CASE(spin_and_kpoints_of_the_adsorbed_system_are_not_those_of_its_parts) {
    const Workplace place;
    io::write_structure(place.folder.path() / "sheet.extxyz", graphene_sheet(2, 1, 1.425 * units::angstrom));
    io::write_text_atomically(place.folder.path() / "study.toml",
                              "[calculator]\nkpoint_list = [[0.25, 0.25, 0, 1]]\n");
    const Outcome outcome =
        run_program({"adsorb", place.file("sheet.extxyz"), "--species", "H", "--enumerate", "--sites", "top",
                     "--radius", "1.5 angstrom", "--unpaired", "1", "--config", place.file("study.toml"),
                     "--max-force", "0.1 eV/angstrom", "--threads", "1", "--out", place.file("study")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(std::abs(place.read("study/sheet/stage.json")["results"]["total_moment"].get<double>()) <
               1e-3);
    const json study = place.read("study/adsorption.json");
    BOOST_TEST(study["alone"]["H"]["unpaired"] == 1);
    BOOST_TEST(study["jobs"][0]["moment"].get<double>() == 1.0, tt::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(starts_are_written_without_relaxations) {
    const Workplace place;
    const Outcome starts =
        run_program({"adsorb", place.file("flake.extxyz"), "--species", "Cr,CH3", "--enumerate", "--no-relax",
                     "--orientations", "0 60", "--out", place.file("starts")});
    BOOST_REQUIRE_MESSAGE(starts.status == 0, starts.output);
    const json study = place.read("starts/adsorption.json");
    int n_cr = 0, n_methyl = 0;
    for (const json& job : study["jobs"]) {
        (job["species"] == "Cr" ? n_cr : n_methyl) += 1;
        const fs::path start =
            place.folder.path() / "starts/sites" / job["name"].get<std::string>() / "start.extxyz";
        BOOST_TEST(io::read_structure(start).size() == 36 + (job["species"] == "Cr" ? 1 : 4));
    }
    BOOST_TEST(n_cr >= 3);
    BOOST_TEST(n_methyl == 2 * n_cr);  // two orientations of the group
}

BOOST_AUTO_TEST_CASE(one_adsorbate_is_placed_as_before) {
    const Workplace place;
    const Outcome outcome =
        run_program({"adsorb", place.file("flake.extxyz"), "--species", "Cr", "--site", "hollow", "--height",
                     "1.7 angstrom", "--out", place.file("cr.extxyz")});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(io::read_structure(place.file("cr.extxyz")).formula() == "C24H12Cr");
    const Outcome usual = run_program({"adsorb", place.file("flake.extxyz"), "--species", "Cr", "--site",
                                       "hollow", "--out", place.file("usual.extxyz")});
    BOOST_REQUIRE_MESSAGE(usual.status == 0, usual.output);
    const Structure high = io::read_structure(place.file("usual.extxyz"));
    BOOST_TEST(high.positions(2, 36) - high.positions.row(2).head(36).mean() == 2.0 * units::angstrom,
               tt::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_before_any_work) {
    const Workplace place;
    const auto refused = [&](std::vector<std::string> arguments, const std::string& text, int status = 2) {
        // A study that is refused may leave its folder, where no file can be.
        arguments.insert(arguments.end(), {"--out", place.file(arguments[0] + ".extxyz")});
        const Outcome outcome = run_program(arguments);
        BOOST_TEST_CONTEXT(outcome.output) {
            BOOST_TEST(outcome.status == status);
            BOOST_TEST(says(outcome, text));
        }
    };
    const std::string flake = place.file("flake.extxyz");
    refused({"adsorb", flake, "--species", "Cr"}, "hollow, bridge or top");
    refused({"adsorb", flake, "--species", "CH4", "--site", "top"}, "unknown adsorbate");
    refused({"adsorb", flake, "--species", "CH4", "--enumerate"}, "unknown adsorbate");
    refused({"adsorb", flake, "--species", "He", "--enumerate"}, "no Slater-Koster file for the pairs");
    refused({"adsorb", flake, "--species", "H", "--enumerate", "--site", "top"}, "--sites");
    refused({"adsorb", flake, "--species", "H", "--enumerate", "--height", "9 angstrom"}, "--heights");
    refused({"adsorb", flake, "--species", "H", "--site", "top", "--sites", "top", "--no-relax"},
            "--sites, --no-relax: only with --enumerate");
    refused({"adsorb", flake, "--species", "H", "--enumerate", "--sites", "valley"}, "hollow, bridge, top");
    refused({"adsorb", flake, "--species", "H", "--enumerate", "--center", "900 900"}, "no hollow");
    refused({"adsorb", flake, "--species", "H", "--enumerate", "--break", "x"}, "is no bond");
    refused({"adsorb", flake, "--species", "H", "--enumerate", "--break", "1-1"}, "not bonded");
    refused({"adsorb", flake, "--species", "H", "--site", "top", "--break", "900-901"}, "does not exist");
    refused({"build", flake, "--surface", "1 0 0"}, "three directions");
    refused({"build", flake, "--repeat", "2 2 1"}, "does not repeat");
    for (const auto& [option, value] :
         {std::pair{"--crop", "radius"}, {"--terminate", "H"}, {"--vacuum", "9 angstrom"}})
        refused({"build", flake, "--repeat", "2 2 1", option, value}, std::string(option) + " does nothing");
    refused({"build", flake, "--surface", "1 0 0", "--layers", "2", "--vacuum", "9 angstrom", "--terminate",
             "none"},
            "three directions");
    refused({"build", flake, "--cell", "periodic", "--cell-size", "90 angstrom"}, "lattice");
    refused({"build", flake, "--crop", "uncertain"}, "needs detected atoms");
    refused({"build", flake, "--crop", "defect"}, "defect 0, counted from 0");
    refused({"build", flake, "--crop", "random", "--atoms", "500"}, "only");
    refused({"vasp", "study", place.file("nowhere")}, "no run folder", 3);
    refused({"vasp", "study", place.folder.path().string()}, "no relaxation");
    const std::string config = place.config("[selective]\nvariants = { all = [\"all\"] }\n");
    BOOST_TEST(
        says(run_program({"run", config, "--stages", "build,selective"}), "holds every coordinate fixed"));
    BOOST_TEST(says(run_program({"run", place.config("[selective]\nvariants = { x = [\"rim\"] }\n"),
                                 "--stages", "build,selective"}),
                    "unknown rule"));
    BOOST_TEST(says(run_program({"run", place.config(""), "--stages", "build,adsorb"}), "adsorb.species"));
}

BOOST_AUTO_TEST_SUITE_END()

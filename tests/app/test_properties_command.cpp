// SPDX-License-Identifier: Apache-2.0
// stembridge properties: what it writes, and that its numbers belong together.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/io/cube_file.hpp"
#include "stembridge/io/image_file.hpp"
#include "stembridge/io/text_file.hpp"
#include "tb/synthetic.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

struct Files {
    TemporaryFolder folder;
    fs::path sheet = folder.path() / "sheet.extxyz", molecule = folder.path() / "molecule.extxyz",
             out = folder.path() / "properties";
    Files() {
        write_synthetic_set(folder.path());
        std::ofstream(sheet) << "2\nLattice=\"2.46 0 0 -1.23 2.1304 0 0 0 15\" pbc=\"T T T\" "
                                "Properties=species:S:1:pos:R:3\nC 0 0 0\nC 0 1.42028 0\n";
        std::ofstream(molecule) << "3\nProperties=species:S:1:pos:R:3\nC 0 0 0\nH 1.1 0 0\nH -0.5 0.95 0\n";
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_properties_command)

BOOST_AUTO_TEST_CASE(a_sheet_gets_tables_pictures_and_a_verdict) {
    const Files f;
    const Outcome outcome = run_program(
        {"properties", f.sheet.string(), "--parameters", f.folder.path().string(), "--kpoints", "3 3 1",
         "--bands", "G M K G", "--band-points", "5", "--dos-range", "20 eV", "--out", f.out.string()});
    BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
    for (const char* name : {"dos.csv", "dos.svg", "bands.csv", "bands.svg", "bonds.svg"})
        BOOST_TEST(fs::file_size(f.out / name) > 100u, name);
    const auto j = nlohmann::json::parse(io::read_text(f.out / "properties.json"));
    double electrons = 0;
    for (const auto& atom : j["atoms"])
        for (const auto& [shell, n] : atom["shells_e"].items()) electrons += n.get<double>();
    BOOST_TEST(std::abs(electrons - 8) < 1e-9);
    BOOST_TEST(j["dipole_e_angstrom"].is_null());
    BOOST_TEST(j["verdict"].is_string());
    BOOST_TEST(!j["bonds"].empty());
}

BOOST_AUTO_TEST_CASE(graphene_has_no_gap_however_many_points_its_path_has) {
    const Files f;
    const auto run = [&](const std::string& mesh, const std::vector<std::string>& more) {
        std::vector<std::string> words = {"properties",  f.sheet.string(), "--kpoints", mesh,
                                          "--dos-range", "2 eV",           "--out",     f.out.string()};
        words.insert(words.end(), more.begin(), more.end());
        const Outcome outcome = run_program(words);
        BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
        return nlohmann::json::parse(io::read_text(f.out / "properties.json"));
    };
    for (const char* points : {"3", "7", "10"}) {
        const auto j = run("4 4 1", {"--bands", "G M K G", "--band-points", points});
        BOOST_TEST(j["gap_along_path_ev"].get<double>() < 2e-3, points);
        BOOST_TEST(j["verdict"] == "metallic");
    }
    // A mesh without the corner K sees a gap, but cannot say that there is one.
    const auto mesh = run("4 4 1", {});
    BOOST_TEST(mesh["gap_ev"].get<double>() > 0.1);
    BOOST_TEST(mesh["verdict"].is_null());
    // One with it sees that there is none.
    BOOST_TEST(run("3 3 1", {"--kpoints-gamma"})["verdict"] == "metallic");
}

BOOST_AUTO_TEST_CASE(a_molecule_gets_a_dipole_and_no_bands) {
    const Files f;
    const auto run = [&](std::vector<std::string> more) {
        std::vector<std::string> words = {"properties",   f.molecule.string(),
                                          "--parameters", f.folder.path().string(),
                                          "--out",        f.out.string()};
        words.insert(words.end(), more.begin(), more.end());
        return run_program(words);
    };
    const Outcome outcome = run({});
    BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
    BOOST_TEST(nlohmann::json::parse(io::read_text(f.out / "properties.json"))["dipole_e_angstrom"].size() ==
               3u);
    BOOST_TEST(!fs::exists(f.out / "bands.csv"));
    const Outcome bands = run({"--bands", "G M"});
    BOOST_TEST(bands.status == 2);
    BOOST_TEST(bands.output.find("periodic") != std::string::npos, bands.output);
    BOOST_TEST(run({"--states", "3"}).status == 0);
    const auto j = nlohmann::json::parse(io::read_text(f.out / "properties.json"));
    BOOST_TEST(j["states_near_fermi_level"][0]["energies_ev"].size() == 3u);
}

BOOST_AUTO_TEST_CASE(cube_files_and_tunnelling_pictures_are_written_and_described) {
    const Files f;
    // The built-in set has its orbitals beside the tables.
    const auto run = [&](const fs::path& structure, std::vector<std::string> more) {
        std::vector<std::string> words = {"properties", structure.string(), "--out", f.out.string()};
        words.insert(words.end(), more.begin(), more.end());
        return run_program(words);
    };
    std::ofstream(f.molecule) << "3\nProperties=species:S:1:pos:R:3\nC 0 0 0\nH 1.0 0.4 0\nH -0.5 0.95 0\n";
    const Outcome outcome = run(f.molecule, {"--cube", "density,difference,homo,lumo+1,2", "--spacing",
                                             "0.3 angstrom", "--stm", "--bias", "-3 V"});
    BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
    const auto j = nlohmann::json::parse(io::read_text(f.out / "properties.json"));
    BOOST_REQUIRE(j["cubes"].size() == 5u);
    for (const auto& entry : j["cubes"]) {
        const io::Cube cube = io::read_cube(f.out / entry["file"].get<std::string>());
        BOOST_TEST(cube.structure.size() == 3);
        BOOST_TEST(cube.values.cwiseAbs().maxCoeff() > 1e-3);
        // Of the inner lobe of C 2s a voxel of 0.18 bohr^3 sees 4 * 0.18 per electron at most.
        if (entry.contains("electrons_on_grid"))
            BOOST_TEST(std::abs(entry["electrons_on_grid"].get<double>() - 6) < 1.5);
        if (entry.contains("norm_on_grid"))
            BOOST_TEST(std::abs(entry["norm_on_grid"].get<double>() - 1) < 0.7);
    }
    BOOST_TEST(j["cubes"][4]["level"] == 2);
    BOOST_TEST(std::abs(j["cubes"][2]["energy_ev"].get<double>() - j["homo"]["energy_ev"].get<double>()) <
               1e-9);
    for (const char* name : {"stm_constant_height", "stm_constant_current"}) {
        BOOST_TEST(fs::file_size(f.out / (std::string(name) + ".png")) > 1000u);
        const Image map = io::read_image(f.out / (std::string(name) + ".npy"));
        BOOST_TEST(map.pixels.minCoeff() >= 0);
        BOOST_TEST(map.pixels.maxCoeff() > map.pixels.minCoeff());
    }
    BOOST_TEST(std::abs(j["stm"]["bias_ev"].get<double>() + 3) < 1e-12);

    const auto refused = [&](const fs::path& structure, const std::vector<std::string>& words,
                             const std::string& message) {
        const Outcome failed = run(structure, words);
        BOOST_TEST(failed.status == 2);
        BOOST_TEST(failed.output.find(message) != std::string::npos, failed.output);
    };
    refused(f.molecule, {"--cube", "hom"}, "accepted are");
    refused(f.molecule, {"--cube", "homo+1"}, "accepted are");
    refused(f.molecule, {"--cube", "homo-7"}, "no level");
    refused(f.molecule, {"--cube", "spin"}, "spin-polarised");
    refused(f.molecule, {"--stm", "--bias", "3 angstrom"}, "no bias");
    refused(f.sheet, {"--cube", "homo", "--kpoints", "2 2 1"}, "1 1 1");
    // What does not need pictures is kept where they cannot be made.
    fs::remove(f.out / "properties.json");
    refused(f.molecule, {"--cube", "homo-7"}, "no level");
    BOOST_TEST(nlohmann::json::parse(io::read_text(f.out / "properties.json")).contains("homo"));
    // Sets without the file say how to make one; the built-in orbitals are an explicit choice.
    refused(f.molecule, {"--cube", "density", "--parameters", f.folder.path().string()}, "--orbitals");
    const Outcome guess = run(f.molecule, {"--cube", "density", "--spacing", "0.5 angstrom", "--parameters",
                                           f.folder.path().string(), "--orbitals", "builtin"});
    BOOST_TEST(guess.status == 0, guess.output);
    BOOST_TEST(guess.output.find("built-in set") != std::string::npos, guess.output);
}

BOOST_AUTO_TEST_CASE(corners_of_the_zone_are_named_at_the_axis_of_the_bands) {
    const Files f;
    const Outcome outcome =
        run_program({"properties", f.sheet.string(), "--parameters", f.folder.path().string(), "--kpoints",
                     "3 3 1", "--bands", "auto", "--band-points", "4", "--out", f.out.string()});
    BOOST_TEST_REQUIRE(outcome.status == 0, outcome.output);
    const std::string svg = io::read_text(f.out / "bands.svg");
    BOOST_TEST(svg.find("Γ–M–K–Γ") != std::string::npos);
    for (const char* tick : {">Γ</text>", ">M</text>", ">K</text>"})
        BOOST_TEST(svg.find(tick) != std::string::npos, tick);
    BOOST_TEST(outcome.output.find("highest occupied level") != std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// stembridge properties: what it writes, and that its numbers belong together.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
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
    const std::string verdict = j["verdict"];
    BOOST_TEST((verdict == "metallic" || verdict == "semiconducting"));
    BOOST_TEST(!j["bonds"].empty());
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

BOOST_AUTO_TEST_SUITE_END()

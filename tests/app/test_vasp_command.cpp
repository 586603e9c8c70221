// SPDX-License-Identifier: Apache-2.0
// stembridge vasp write | read | compare as a user meets them.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

void write_sheet(const fs::path& path) {
    std::ofstream(path)
        << "6\nLattice=\"2.4595 0 0 0 4.26 0 0 0 20\" pbc=\"T T T\" Properties=species:S:1:pos:R:3\n"
           "C 0 0 5\nH 0 0 7.5\nC 1.22975 0.71 5\nC 1.22975 2.13 5\nC 0 2.84 5\nCr 1.22 1.42 9\n";
}

/// A closed vasprun.xml of C2 with one step, whose numbers are those of our own evaluation plus a constant.
std::string vasprun_of(const nlohmann::json& ours, double shift_ev) {
    const double ev = 1 / units::electronvolt;
    const auto number = [](double x) {
        char text[40];
        std::snprintf(text, sizeof text, "%.8f", x);
        return std::string(text);
    };
    const double free = ours["energy_hartree"].get<double>() * ev + shift_ev;
    const double zero = ours["energy_zero_hartree"].get<double>() * ev + shift_ev;
    const auto energies = [&] {
        return "<energy><i name=\"e_fr_energy\">" + number(free) + "</i><i name=\"e_wo_entrp\">" +
               number(zero) + "</i><i name=\"e_0_energy\">" + number(zero) + "</i></energy>";
    };
    std::string forces;
    for (const auto& row : ours["forces_hartree_per_bohr"]) {
        forces += "<v>";
        for (const auto& x : row) forces += " " + number(x.get<double>() / units::electronvolt_per_angstrom);
        forces += "</v>";
    }
    return "<?xml version=\"1.0\"?><modeling><generator><i name=\"version\">6.4.2</i></generator><parameters>"
           "<i name=\"NSW\">0</i><i name=\"IBRION\">-1</i><i "
           "name=\"NELM\">60</i></parameters><atominfo><atoms>2</atoms>"
           "<array "
           "name=\"atoms\"><set><rc><c>C</c></rc><rc><c>C</c></rc></set></array></"
           "atominfo><calculation><scstep>" +
           energies() +
           "</scstep><structure><crystal><varray name=\"basis\"><v>9 0 0</v><v>0 9 0</v><v>0 0 "
           "9</v></varray></crystal>"
           "<varray name=\"positions\"><v>0.1 0.2 0.3</v><v>0.26 0.2 0.3</v></varray></structure>"
           "<varray name=\"forces\">" +
           forces + "</varray>" + energies() + "</calculation></modeling>\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_vasp_command)

BOOST_AUTO_TEST_CASE(write_makes_each_kind_of_input) {
    const TemporaryFolder folder;
    const fs::path sheet = folder.path() / "sheet.extxyz";
    write_sheet(sheet);
    const auto write = [&](const std::string& kind, std::vector<std::string> more) {
        std::vector<std::string> arguments = {
            "vasp", "write", sheet.string(), "--kind", kind, "--out", (folder.path() / kind).string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_program(arguments);
    };
    BOOST_TEST(write("relax", {"--fix", "species:H", "--cutoff", "500 eV"}).status == 0);
    BOOST_TEST(io::read_text(folder.path() / "relax" / "INCAR").find("ENCUT   = 500\n") != std::string::npos);
    BOOST_TEST(io::read_structure(folder.path() / "relax" / "POSCAR").fixed.count() == 3);
    BOOST_TEST(write("aimd", {}).status == 0);
    for (const char* name : {"300K", "500K", "700K", "900K", "1200K", "2000K", "3000K", "4000K", "5000K"})
        BOOST_TEST(fs::exists(folder.path() / "aimd" / name / "KPOINTS"), name);
    BOOST_TEST(write("spin", {"--unpaired", "4"}).status == 0);
    BOOST_TEST(fs::exists(folder.path() / "spin" / "unpaired-4" / "POSCAR"));
    BOOST_TEST(write("adsorption", {"--adsorbate", "species:Cr"}).status == 0);
    BOOST_TEST(io::read_structure(folder.path() / "adsorption" / "adsorbate" / "POSCAR").size() == 1);
    BOOST_TEST(io::read_text(folder.path() / "adsorption" / "system" / "INCAR").find("ISPIN   = 2") !=
               std::string::npos);
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
        BOOST_TEST(entry.path().filename() != "POTCAR");
    // What was written can be read.
    const Outcome read = run_program({"vasp", "read", (folder.path() / "relax").string()});
    BOOST_TEST(read.status == 0, read.output);
}

BOOST_AUTO_TEST_CASE(write_refuses_what_makes_no_sense_and_says_what_does) {
    const TemporaryFolder folder;
    const fs::path sheet = folder.path() / "sheet.extxyz";
    write_sheet(sheet);
    const auto refused = [&](std::vector<std::string> more, const std::string& said) {
        std::vector<std::string> arguments = {"vasp", "write", sheet.string(), "--out",
                                              (folder.path() / "x").string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = run_program(arguments);
        BOOST_TEST(outcome.status == 2, outcome.output);
        BOOST_TEST(outcome.output.find(said) != std::string::npos, outcome.output);
    };
    refused({"--kind", "phonons"}, "relax");
    refused({"--kind", "adsorption"}, "--adsorbate");
    refused({"--kind", "adsorption", "--adsorbate", "species:Au"}, "Au");
    refused({"--kind", "relax", "--unpaired", "2"}, "--kind spin");
    refused({"--kpoints", "2 2"}, "three positive integers");
    refused({"--cutoff", "400"}, "eV");
    refused({"--kind", "aimd", "--temperature", "-5 K"}, "--temperature");
    refused({"--kind", "aimd", "--keep-velocities"}, "velocities");
    BOOST_TEST(run_program({"vasp", "write", "/nonexistent.extxyz", "--out", "/tmp/x"}).status == 3);
    BOOST_TEST(run_program({"vasp"}).status == 2);
}

BOOST_AUTO_TEST_CASE(read_writes_the_status_also_of_damaged_files) {
    const TemporaryFolder folder;
    const fs::path json = folder.path() / "result.json";
    const fs::path file = folder.path() / "OSZICAR";
    std::ofstream(file)
        << "DAV:   1     0.1E+05\n   1 F= -.10841836E+02 E0= -.10831836E+02  d E =-.108418E+02\n";
    BOOST_TEST(run_program({"vasp", "read", file.string(), "--json", json.string()}).status == 0);
    const auto good = nlohmann::json::parse(std::ifstream(json));
    BOOST_TEST(good["status"] == "complete");
    BOOST_TEST(good["energy_zero_ev"] == -10.831836);
    for (const char* key : {"version", "n_atoms", "species", "max_force_ev_per_angstrom", "lattice_angstrom",
                            "positions_angstrom", "temperature_k"})
        BOOST_TEST((good.contains(key) && good[key].is_null()), key);
    const fs::path empty = folder.path() / "CONTCAR";
    std::ofstream(empty) << "";
    const Outcome outcome = run_program({"vasp", "read", empty.string(), "--json", json.string()});
    BOOST_TEST(outcome.status == 3);
    BOOST_TEST(outcome.output.find("empty") != std::string::npos, outcome.output);
    BOOST_TEST(nlohmann::json::parse(std::ifstream(json))["status"] == "malformed");
    BOOST_TEST(run_program({"vasp", "read", "/nonexistent/OUTCAR"}).status == 3);
    std::ofstream(folder.path() / "notes.txt") << "nothing";
    const Outcome unknown = run_program({"vasp", "read", (folder.path() / "notes.txt").string()});
    BOOST_TEST(unknown.status == 2);
    BOOST_TEST(unknown.output.find("vasprun.xml") != std::string::npos, unknown.output);
}

BOOST_AUTO_TEST_CASE(compare_finds_no_difference_to_our_own_numbers_and_a_difference_to_others) {
    const TemporaryFolder folder;
    const fs::path poscar = folder.path() / "POSCAR";
    std::ofstream(poscar) << "C2\n1\n9 0 0\n0 9 0\n0 0 9\nC\n2\nDirect\n0.1 0.2 0.3\n0.26 0.2 0.3\n";
    const fs::path json = folder.path() / "ours.json";
    BOOST_REQUIRE(run_program({"energy", poscar.string(), "--json", json.string(), "--electronic-temperature",
                               "1000 K"})
                      .status == 0);
    const auto ours = nlohmann::json::parse(std::ifstream(json));
    const fs::path xml = folder.path() / "vasprun.xml";
    io::write_text_atomically(xml, vasprun_of(ours, 123));
    const fs::path result = folder.path() / "compare.json";
    const auto compare = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments = {
            "vasp", "compare", xml.string(), "--json", result.string(), "--electronic-temperature", "1000 K"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_program(arguments);
    };
    const Outcome outcome = compare({"--structure", poscar.string()});
    BOOST_REQUIRE(outcome.status == 0);
    const auto j = nlohmann::json::parse(std::ifstream(result));
    // Eight digits in the file, an SCC tolerance of 1e-6 e here.
    BOOST_TEST(j["force_difference_ev_per_angstrom"]["max"].get<double>() < 1e-4, outcome.output);
    BOOST_TEST(j["free_energy_difference_ev"].is_null());  // one geometry: no change to compare
    BOOST_TEST(j["geometry"]["rmsd_angstrom"].get<double>() < 1e-6);
    auto other = ours;
    other["forces_hartree_per_bohr"][0][1] = 0.01;
    io::write_text_atomically(xml, vasprun_of(other, 0));
    BOOST_REQUIRE(compare({}).status == 0);
    BOOST_TEST(nlohmann::json::parse(std::ifstream(result))["force_difference_ev_per_angstrom"]["max"]
                   .get<double>() > 0.4);
    // The mesh of the run, unless another is asked for.
    std::string with_mesh = vasprun_of(ours, 0);
    with_mesh.insert(with_mesh.find("<atominfo>"),
                     "<kpoints><generation param=\"Gamma\"><v type=\"int\" name=\"divisions\">2 1 1</v>"
                     "</generation></kpoints>");
    io::write_text_atomically(xml, with_mesh);
    const Outcome mesh = compare({});
    BOOST_TEST(mesh.output.find("k-points as in the run: Gamma 2 1 1") != std::string::npos, mesh.output);
    const auto calculator = [&] {
        return nlohmann::json::parse(std::ifstream(result))["calculator"].get<std::string>();
    };
    const std::string of_the_run = calculator();
    // A mesh moved by half a step along the first axis is the Monkhorst-Pack one of two points there.
    std::string shifted = with_mesh;
    shifted.replace(shifted.find("</generation>"), 0, "<v name=\"usershift\">0.5 0 0</v>");
    io::write_text_atomically(xml, shifted);
    const auto force_error = [&] {
        return nlohmann::json::parse(std::ifstream(result))["force_difference_ev_per_angstrom"]["max"]
            .get<double>();
    };
    const Outcome moved = compare({});
    BOOST_TEST(moved.output.find("shifted by 0.5 0 0") != std::string::npos, moved.output);
    const double at_shifted = force_error();
    BOOST_REQUIRE(compare({"--kpoints", "2 1 1"}).status == 0);
    BOOST_TEST(force_error() == at_shifted, boost::test_tools::tolerance(1e-6));
    // Electrons that are missing, and spins.
    std::string charged = with_mesh;
    charged.replace(charged.find("</parameters>"), 0, "<i name=\"NELECT\">7.0</i><i name=\"ISPIN\">2</i>");
    charged.replace(
        charged.find("</atominfo>"), 0,
        "<array name=\"atomtypes\"><set><rc><c>2</c><c>C</c><c>12.0</c><c>4.0</c><c>PAW C</c></rc>"
        "</set></array>");
    io::write_text_atomically(xml, charged);
    const Outcome ion = compare({});
    BOOST_TEST(ion.output.find("charge as in the run: +1") != std::string::npos, ion.output);
    BOOST_TEST(ion.output.find("ISPIN = 2") != std::string::npos, ion.output);
    BOOST_TEST(calculator().find("charge +1") != std::string::npos, calculator());
    BOOST_TEST(compare({"--charge", "0"}).output.find("the run has the charge +1, this calculation +0") !=
               std::string::npos);
    io::write_text_atomically(xml, with_mesh);
    BOOST_TEST(compare({"--kpoints", "1 1 1"}).output.find("as in the run") == std::string::npos);
    BOOST_TEST(calculator() != of_the_run);
    io::write_text_atomically(xml, vasprun_of(ours, 0));
    BOOST_TEST(compare({}).output.find("compared at Gamma alone") != std::string::npos);

    const Outcome dispersion = compare({"--dispersion", "lj"});
    BOOST_TEST(dispersion.status == 2);
    BOOST_TEST(dispersion.output.find("dispersion") != std::string::npos, dispersion.output);
    BOOST_TEST(compare({"--map", "x"}).status == 2);
    BOOST_TEST(compare({"--dynamics", folder.path().string()}).status == 2);  // that run is no dynamics
    const fs::path three = folder.path() / "three.extxyz";
    write_sheet(three);
    BOOST_TEST(compare({"--structure", three.string()}).status == 2);
    std::ofstream(xml) << "<modeling><calculation></modeling>";
    const Outcome malformed = compare({});
    BOOST_TEST(malformed.status == 2);
    BOOST_TEST(malformed.output.find("malformed") != std::string::npos, malformed.output);
}

BOOST_AUTO_TEST_SUITE_END()

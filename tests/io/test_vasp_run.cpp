// SPDX-License-Identifier: Apache-2.0
// Reading runs of VASP: which numbers are used, and what damaged and unfinished files give.
#include <zlib.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/vasp_texts.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/io/vasp_run.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
using namespace stembridge::testing;
namespace fs = std::filesystem;
using Kind = VaspRun::Kind;

namespace {

constexpr double digits = 1e-8;  // of energies and forces in vasprun.xml

VaspRun from_xml(const std::string& text) {
    return read_vasp_text(text, "vasprun.xml", Kind::vasprun);
}

std::string whole_run(const VasprunText& t = {}) {
    return vasprun_head(t) + vasprun_step(t, -10, "0.3 0.4 0.0", "0.0 0.0 0.0") +
           vasprun_step(t, -11, "0.003 0.004 0.0", "0.0 0.0 0.0") + vasprun_tail();
}

bool close(const std::optional<double>& value, double expected, double tolerance = digits) {
    return value && std::abs(*value - expected) < tolerance;
}

nlohmann::json json_of(const VaspRun& run) {
    return nlohmann::json::parse(to_json_text(run));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_vasp_run)

BOOST_AUTO_TEST_CASE(the_energies_are_right_before_and_after_the_shifted_block) {
    for (const char* version : {"4.6.28", "5.4.4.18Apr17-6-g9f103f2a35", "6.0.8", "6.1.1", "6.5.0"}) {
        VasprunText t;
        t.version = version;
        const VaspRun run = from_xml(whole_run(t));
        BOOST_TEST((run.status == VaspStatus::complete), version);
        BOOST_REQUIRE(run.steps.size() == 2u);
        BOOST_TEST(close(run.steps[1].energy_free_ev, -11));
        BOOST_TEST(close(run.steps[1].energy_zero_ev, -10.99));
        BOOST_TEST(close(run.steps[1].energy_ev, -10.98));
        BOOST_TEST(!run.has_dispersion());
    }
    BOOST_TEST(from_xml(whole_run()).version == "6.4.2");
}

BOOST_AUTO_TEST_CASE(dispersion_counts_in_the_energies_and_is_noticed) {
    VasprunText t;
    t.version = "5.4.1";
    t.offset = -0.88;  // of the electronic steps
    const VaspRun run = from_xml(whole_run(t));
    BOOST_TEST(close(run.steps[1].energy_free_ev, -11));
    BOOST_TEST(close(run.steps[1].energy_zero_ev, -10.99));
    BOOST_TEST(close(run.steps[1].offset_ev, -0.88));
    BOOST_TEST(run.has_dispersion());
}

BOOST_AUTO_TEST_CASE(the_largest_force_is_over_coordinates_that_may_move) {
    VasprunText t;
    t.selective =
        "  <varray type=\"logical\" name=\"selective\" >\n   <v type=\"logical\" > F  T  F </v>\n"
        "   <v type=\"logical\" > F  F  F </v>\n  </varray>\n";
    const VaspRun run =
        from_xml(vasprun_head(t) + vasprun_step(t, -10, "3.0 0.4 0.0", "0.0 16.3 0.0") + vasprun_tail());
    BOOST_TEST(close(max_free_force(run, run.steps[0]), 0.4));
    BOOST_TEST(close(max_free_force(from_xml(whole_run()), from_xml(whole_run()).steps[0]), 0.5));  // a norm
    const Structure structure = to_structure(run, run.steps[0]);
    BOOST_TEST(structure.is_fixed(0, 0));
    BOOST_TEST(!structure.is_fixed(1, 0));
}

BOOST_AUTO_TEST_CASE(a_file_cut_at_any_byte_gives_its_complete_steps_only) {
    const std::string text = whole_run();
    const std::size_t first_end = text.find("</calculation>") + 14;
    const std::size_t second_end = text.rfind("</calculation>") + 14;
    for (std::size_t length = 60; length < text.size() - 12; length += 7) {
        const VaspRun run = from_xml(text.substr(0, length));
        BOOST_TEST((run.status == VaspStatus::unfinished), length << " " << run.problem);
        BOOST_TEST(run.steps.size() == (length >= second_end ? 2u : length >= first_end ? 1u : 0u));
        if (run.steps.empty()) BOOST_TEST(json_of(run)["energy_free_ev"].is_null());
    }
}

BOOST_AUTO_TEST_CASE(steps_used_up_are_not_converged_unless_the_forces_say_so) {
    VasprunText t;
    const std::string head = vasprun_head(t);
    const auto three = [&](const std::string& last_forces) {
        return from_xml(head + vasprun_step(t, -10, "1 0 0", "0 0 0") +
                        vasprun_step(t, -11, "1 0 0", "0 0 0") + vasprun_step(t, -12, last_forces, "0 0 0") +
                        vasprun_tail());
    };
    BOOST_TEST((three("0.5 0 0").status == VaspStatus::not_converged));
    BOOST_TEST((three("0.005 0 0").status == VaspStatus::complete));
    t.scf_steps = 60;  // = NELM
    BOOST_TEST((from_xml(whole_run(t)).status == VaspStatus::not_converged));
    BOOST_TEST((from_xml(whole_run()).status == VaspStatus::complete));
    BOOST_TEST(!from_xml(whole_run()).notes.empty());  // fewer steps than NSW: said, but no error
}

BOOST_AUTO_TEST_CASE(an_overflowed_number_is_absent_and_not_zero) {
    const VasprunText t;
    std::string text = whole_run();
    const VaspRun run = from_xml(vasprun_head(t) + vasprun_step(t, -10, "********** 0.4 0.0", "0.0 0.0 0.0") +
                                 vasprun_tail());
    BOOST_TEST((run.status == VaspStatus::complete));
    BOOST_TEST(std::isnan(run.steps[0].forces_ev_per_angstrom(0, 0)));
    BOOST_TEST(!max_free_force(run, run.steps[0]));
    const std::string energy = "<i name=\"e_fr_energy\"> -11.00000000 </i>";
    for (std::size_t at = text.find(energy); at != std::string::npos; at = text.find(energy, at))
        text.replace(at, energy.size(), "<i name=\"e_fr_energy\"> **************** </i>");
    const auto json = json_of(from_xml(text));
    BOOST_TEST(json["status"] == "complete");
    BOOST_TEST(json["energy_free_ev"].is_null());
    BOOST_TEST(json["energy_zero_ev"].is_null());
}

BOOST_AUTO_TEST_CASE(damaged_files_are_malformed_and_give_no_numbers) {
    const std::string text = whole_run();
    std::string zeros = text;
    zeros.replace(zeros.size() / 2, 30, std::string(30, '\0'));
    std::string interleaved = text;
    interleaved.insert(text.find("<scstep>") + 20, text.substr(text.find("<calculation>"), 300));
    std::string swapped = text;
    swapped.replace(swapped.find("</scstep>"), 9, "</energy>");
    std::string merged = text;
    merged.replace(merged.find("0.3 0.4 0.0"), 11, "0.3 0.4 0.0 1.0 2.0");
    std::string fewer = text;
    fewer.replace(fewer.find("   <v> 0.3 0.4 0.0 </v>\n"), 24, "");
    const std::string twice = text + text;
    for (const std::string& bad : {zeros, interleaved, swapped, merged, fewer, twice, std::string("\n"),
                                   std::string("<html><body></body></html>")}) {
        const VaspRun run = from_xml(bad);
        BOOST_TEST((run.status == VaspStatus::malformed));
        BOOST_TEST(run.problem.find("vasprun.xml") != std::string::npos, run.problem);
        const auto json = json_of(run);
        for (const char* key : {"energy_free_ev", "energy_zero_ev", "positions_angstrom", "n_ionic_steps"})
            BOOST_TEST(json[key].is_null());
    }
    BOOST_TEST(from_xml(zeros).problem.find("line ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_temperature_of_a_dynamics_follows_from_its_kinetic_energy) {
    VasprunText t;
    t.parameters =
        "<i name=\"NSW\">2</i><i name=\"IBRION\">0</i><i name=\"MDALGO\">2</i><i name=\"ISIF\">2</i>";
    t.extra_energies = "<i name=\"kinetic\"> 0.12926000 </i><i name=\"total\"> -9.0 </i>";
    const VaspRun run = from_xml(whole_run(t));
    BOOST_TEST((run.status == VaspStatus::complete));
    // 2 K / (kB (3 N - 3)) with kB = 8.617333262e-5 eV/K
    BOOST_TEST(close(run.steps[1].temperature_k, 2 * 0.12926 / (3 * 8.617333262e-5), 1e-3));
    BOOST_TEST(close(run.steps[1].conserved_ev, -9));
    BOOST_TEST(json_of(run)["temperature_k"].get<double>() > 999);
}

BOOST_AUTO_TEST_CASE(latin_text_and_unknown_tags_do_no_harm) {
    std::string text = whole_run();
    text.insert(text.find(" <parameters>"),
                " <strange what=\"x\"><i name=\"SYSTEM\">Stra\xdf"
                "e</i></strange>\n");
    BOOST_TEST((from_xml(text).status == VaspStatus::complete));
    // Bytes that are no UTF-8 must not stop the JSON.
    std::string species = whole_run();
    species.replace(species.find("<c>C </c>"), 9, "<c>\xe4 </c>");
    BOOST_TEST(json_of(from_xml(species))["species"].size() == 2u);
}

BOOST_AUTO_TEST_CASE(compressed_files_are_read_and_a_cut_one_keeps_its_steps) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "vasprun.xml.gz";
    gzFile file = ::gzopen(path.c_str(), "wb");
    const std::string text = whole_run();
    ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(file);
    BOOST_TEST((read_vasp(path).status == VaspStatus::complete));
    BOOST_TEST((read_vasp(folder.path()).steps.size() == 2u));
    fs::resize_file(path, fs::file_size(path) - 20);
    BOOST_TEST((read_vasp(path).status == VaspStatus::unfinished));
    std::ofstream(path, std::ios::binary) << "\x1f\x8b\x08garbage that is no deflate stream";
    BOOST_TEST((read_vasp(path).status == VaspStatus::malformed));
}

BOOST_AUTO_TEST_CASE(an_outcar_is_read_with_fused_columns) {
    const std::string row =
        "      1.00000-123456.78901      1.00000         0.300000-12345.500000      0.000000";
    const std::string text = outcar_head() + outcar_step(1, row, "     -10.00000000") + outcar_tail(true);
    const VaspRun run = read_vasp_text(text, "OUTCAR", Kind::outcar);
    BOOST_TEST((run.status == VaspStatus::complete), run.problem);
    BOOST_TEST(run.version == "5.4.4");
    BOOST_REQUIRE(run.steps.size() == 1u);
    const VaspStep& step = run.steps[0];
    BOOST_TEST(step.positions_angstrom(1, 1) == -123456.78901);
    BOOST_TEST(step.forces_ev_per_angstrom(1, 1) == -12345.5);
    BOOST_TEST(step.lattice_angstrom(1, 2) == -12.0);
    BOOST_REQUIRE(step.stress_kbar.has_value());
    BOOST_TEST((*step.stress_kbar)(1, 1) == -12353.08821);
    BOOST_TEST((*step.stress_kbar)(1, 2) == 2.0);  // XX YY ZZ XY YZ ZX
    BOOST_TEST(close(step.energy_free_ev, -10));
    BOOST_TEST(close(step.energy_zero_ev, -9.99));
    BOOST_TEST(run.species.size() == 2u);
    BOOST_TEST(run.species[1] == "C");
}

BOOST_AUTO_TEST_CASE(an_outcar_tells_how_it_ended) {
    const std::string row =
        "      1.00000      1.50000      1.00000         0.300000      0.000000      0.000000";
    const auto status = [&](const std::string& text) { return read_vasp_text(text, "OUTCAR", Kind::outcar); };
    const std::string one = outcar_head() + outcar_step(1, row, "-10.0");
    BOOST_TEST((status(one + outcar_tail(false)).status == VaspStatus::not_converged));
    BOOST_TEST((status(one).status == VaspStatus::unfinished));
    const VaspRun partial = status(one + outcar_step(2, row, "-99.0").substr(0, 900));
    BOOST_TEST((partial.status == VaspStatus::unfinished));
    BOOST_TEST(partial.steps.size() == 1u);
    BOOST_TEST(close(partial.steps[0].energy_free_ev, -10));
    // The counter of steps going back, a second header, a table with a row too many.
    BOOST_TEST((status(one + outcar_step(2, row, "-10") + outcar_step(1, row, "-10")).status ==
                VaspStatus::malformed));
    BOOST_TEST((status(one + outcar_head()).status == VaspStatus::malformed));
    BOOST_TEST(
        (status(outcar_head() + outcar_step(1, row + "\n" + row, "-10")).status == VaspStatus::malformed));
    BOOST_TEST(!status(outcar_head() + outcar_step(1, row, "**********") + outcar_tail(true))
                    .steps[0]
                    .energy_free_ev);
}

BOOST_AUTO_TEST_CASE(flags_and_species_come_from_a_poscar_only_when_it_is_that_of_the_run) {
    const TemporaryFolder folder;
    const std::string row =
        "      1.00000      1.50000      1.00000         0.300000      0.000000      0.000000";
    std::ofstream(folder.path() / "OUTCAR")
        << outcar_head() + outcar_step(1, row, "-10.0") + outcar_tail(true);
    const auto poscar = [&](const char* second) {
        std::ofstream(folder.path() / "POSCAR")
            << "x\n1.0\n2 0 0\n0 3 0\n0 -12 10\nC\n2\nSelective dynamics\nCartesian\n0 0 0 T T T\n"
            << second << " F F F\n";
        const VaspRun run = read_vasp(folder.path());
        return max_free_force(run, run.steps.back()).value();
    };
    BOOST_TEST(poscar("1.0 1.5 1.0") == 0.0);
    BOOST_TEST(poscar("1.0 1.5 1.2") == 0.3);
}

BOOST_AUTO_TEST_CASE(oszicar_gives_energies_and_temperature_of_the_last_complete_step) {
    const std::string text =
        "       N       E                     dE             d eps       ncg     rms          rms(c)\n"
        "DAV:   1     0.137899059530E+05    0.13790E+05   -0.32100E+05  2496   0.104E+03\n"
        "    1 T=  2000. E= -.33E+03 F= -.12185955E+04 E0= -.12185161E+04  EK= 0.30215E+02 SP= 0.23E+02 SK= "
        "0.84E+03\n"
        "DAV:   1    **************    0.13790E+05   -0.32100E+05  2496   0.104E+03\n";
    const VaspRun run = read_vasp_text(text, "OSZICAR", Kind::oszicar);
    BOOST_TEST((run.status == VaspStatus::unfinished));  // electronic steps follow the last complete step
    BOOST_REQUIRE(run.steps.size() == 1u);
    BOOST_TEST(close(run.steps[0].energy_free_ev, -1218.5955));
    BOOST_TEST(close(run.steps[0].energy_zero_ev, -1218.5161));
    BOOST_TEST(close(run.steps[0].temperature_k, 2000));
    const std::string backwards = text.substr(0, text.find("DAV:   1    **"));
    BOOST_TEST((read_vasp_text(backwards, "OSZICAR", Kind::oszicar).status == VaspStatus::complete));
    BOOST_TEST(
        (read_vasp_text(backwards + backwards, "OSZICAR", Kind::oszicar).status == VaspStatus::malformed));
}

BOOST_AUTO_TEST_CASE(xdatcar_is_read_in_every_layout_and_unwrapped) {
    for (const bool each : {false, true}) {
        const VaspRun run = read_vasp_text(xdatcar({0.8, 0.95, 0.1}, each, 50), "XDATCAR", Kind::xdatcar);
        BOOST_TEST((run.status == VaspStatus::complete), run.problem);
        BOOST_REQUIRE(run.steps.size() == 3u);
        BOOST_TEST(run.steps[2].positions_angstrom(0, 0) == 1.0, boost::test_tools::tolerance(1e-12));
        const auto positions = unwrapped_positions(run.steps);
        BOOST_TEST(positions[2](0, 0) == 11.0, boost::test_tools::tolerance(1e-12));
        BOOST_TEST(positions[0](0, 0) == 8.0, boost::test_tools::tolerance(1e-12));
    }
    const std::string vasp4 =
        "x\n1\n10 0 0\n0 10 0\n0 0 10\n C\n 1\n \n -0.63265286-0.11227753 -0.1 C\n \n 0.5 0.5 0.5 C\n";
    const VaspRun blank = read_vasp_text(vasp4, "XDATCAR", Kind::xdatcar);
    BOOST_REQUIRE(blank.steps.size() == 2u);
    BOOST_TEST(blank.steps[0].positions_angstrom(1, 0) == -1.1227753, boost::test_tools::tolerance(1e-12));
    // VASP 6.4 writes the names of the POTCARs.
    std::string named = xdatcar({0.8, 0.9}, false, 1);
    named.replace(named.find("  C\n  1\n"), 8, "  C/ H_h/d34db33f\n  1 1\n");
    for (std::size_t at = 0; (at = named.find("0.50000000\n", at)) != std::string::npos; at += 11)
        named.insert(at + 11, " 0.1 0.1 0.1\n");
    const VaspRun hashed = read_vasp_text(named, "XDATCAR", Kind::xdatcar);
    BOOST_REQUIRE_MESSAGE(hashed.status == VaspStatus::complete, hashed.problem);
    BOOST_TEST(hashed.species == (std::vector<std::string>{"C", "H"}), boost::test_tools::per_element());
    BOOST_TEST(to_structure(hashed, hashed.steps[1]).formula() == "CH");
    const std::string text = xdatcar({0.8, 0.9}, false, 1);
    const VaspRun cut = read_vasp_text(text.substr(0, text.size() - 8), "XDATCAR", Kind::xdatcar);
    BOOST_TEST((cut.status == VaspStatus::unfinished));
    BOOST_TEST(cut.steps.size() == 1u);
    BOOST_TEST(
        (read_vasp_text(xdatcar({}, false, 1), "XDATCAR", Kind::xdatcar).status == VaspStatus::unfinished));
    BOOST_TEST((read_vasp_text(text + text, "XDATCAR", Kind::xdatcar).status == VaspStatus::malformed));
}

BOOST_AUTO_TEST_CASE(poscar_traps) {
    const auto read = [](const std::string& text) { return read_vasp_text(text, "POSCAR", Kind::poscar); };
    // Negative scale = volume, with Cartesian coordinates, which it scales too; VASP 4 with symbols behind.
    const VaspRun scaled = read("x\n-64\n1 0 0\n0 1 0\n0 0 1\n1 1\nCartesian\n0 0 0 C\n0.5 0.5 0.5 Si\n");
    BOOST_REQUIRE((scaled.status == VaspStatus::complete));
    BOOST_TEST(scaled.steps[0].positions_angstrom(2, 1) == 2.0, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(scaled.species[1] == "Si");
    // Flags along vectors that are no axes are kept; CRLF; lattice velocities; predictor block.
    const VaspRun skew = read(
        "x\r\n1\r\n2 0 0\r\n1 2 0\r\n0 0 9\r\nC H\r\n1 1\r\nSelective dynamics\r\nDirect\r\n0 0 0 T F T\r\n"
        "0.5 0.5 0.5 F F F\r\nLattice velocities and vectors\r\n 1\r\n0 0 0\r\n0 0 0\r\n0 0 0\r\n2 0 0\r\n1 "
        "2 0\r\n"
        "0 0 9\r\n\r\n0.1 0.2 0.3\r\n0 0 0\r\n\r\n 1\r\n 0.5\r\n0 0 0\r\n0 0 0\r\n");
    BOOST_REQUIRE_MESSAGE(skew.status == VaspStatus::complete, skew.problem);
    BOOST_TEST(skew.free_along(0, 0));
    BOOST_TEST(!skew.free_along(1, 0));
    BOOST_TEST(json_of(skew)["n_ionic_steps"].is_null());
    // Errors name the line.
    const VaspRun missing = read("x\n1\n2 0 0\n0 2 0\n0 0 2\nC\n3\nDirect\n0 0 0\n0.5 0.5 0.5\n");
    BOOST_TEST((missing.status == VaspStatus::malformed));
    BOOST_TEST(missing.problem.find("POSCAR:10") != std::string::npos, missing.problem);
    BOOST_TEST((read("").status == VaspStatus::malformed));
    BOOST_TEST(
        (read("x\n1\n2 0 0\n0 2 0\n0 0 2\n2\nDirect\n0 0 0\n0.5 0.5 0.5\n").status == VaspStatus::malformed));
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_run_and_a_file_of_another_kind_are_refused) {
    const TemporaryFolder folder;
    BOOST_CHECK_THROW(read_vasp(folder.path()), InputError);
    BOOST_CHECK_THROW(read_vasp(folder.path() / "OUTCAR"), FileError);
    std::ofstream(folder.path() / "notes.txt") << "nothing of VASP";
    BOOST_CHECK_THROW(read_vasp(folder.path() / "notes.txt"), InputError);
    std::ofstream(folder.path() / "OUTCAR.1") << "x";
    std::ofstream(folder.path() / "OUTCAR.2") << "x";
    BOOST_CHECK_THROW(read_vasp(folder.path()), InputError);  // which one?
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// The shipped set comes out again of its configuration and its reference structures.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "run_program.hpp"
#include "stembridge/calculators/calculators.hpp"
#include "stembridge/io/text_file.hpp"
#include "stembridge/tb/tables/skf.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

fs::path shipped() {
    return source_folder() / "data" / "parameters" / "stembridge-1";
}

std::set<std::string> shipped_files() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(shipped()))
        if (entry.path().extension() == ".skf") names.insert(entry.path().filename().string());
    return names;
}

tb::SkfTable table(const fs::path& folder, const std::string& file) {
    const std::size_t dash = file.find('-');
    return tb::read_skf(folder / file, file.substr(0, dash) == file.substr(dash + 1, file.size() - dash - 5));
}

/// A shipped file as it was before the fit: without repulsion, and without what only finished files say.
std::string electronic_part(const std::string& text) {
    const std::size_t documentation = text.find("<Documentation>");
    const std::size_t spline = std::min(text.find("\nSpline\n") + 1, documentation);
    std::string out = text.substr(0, spline);
    std::istringstream lines(text.substr(documentation));
    for (std::string line; std::getline(lines, line);) {
        bool finished_only = false;
        for (const char* tag : {"<Set>", "<Code>", "<Note>", "<Repulsive"})
            finished_only = finished_only || line.rfind(tag, 0) == 0;
        if (!finished_only) out += line + '\n';
    }
    return out;
}

/// A set of hydrogen alone. @param element lines that follow in [elements.H]  @param rest of the file
std::string hydrogen_config(const std::string& element, const std::string& rest = "") {
    return "[set]\nname = \"test\"\n" + rest +
           "\n[tables]\nspacing = \"0.1 bohr\"\n\n[elements.H]\nconfiguration = \"1s1\"\nshells = "
           "[\"1s\"]\n" +
           element;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_make_parameters)

BOOST_AUTO_TEST_CASE(the_repulsion_of_every_pair_is_found_again) {
    const TemporaryFolder folder;
    fs::create_directories(folder.path() / "electronic");
    for (const std::string& file : shipped_files())
        io::write_text_atomically(folder.path() / "electronic" / file,
                                  electronic_part(io::read_text(shipped() / file)));
    const Outcome outcome = run_program(
        {"make-parameters", (shipped() / "config.toml").string(), "--out", folder.path().string()});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(outcome.output.find("C-C: electronic tables found") != std::string::npos, outcome.output);
    BOOST_TEST(shipped_files().size() == 16u);
    for (const std::string& file : shipped_files()) {
        const tb::SkfTable made = table(folder.path(), file), expected = table(shipped(), file);
        BOOST_TEST((made.values == expected.values), file);
        BOOST_TEST(made.repulsive.is_spline() == expected.repulsive.is_spline(), file);
        BOOST_TEST(std::abs(made.repulsive.cutoff() - expected.repulsive.cutoff()) < 1e-9, file);
        // The fit amplifies rounding of the self-consistent charges (1e-7) where data are scarce.
        double largest = 0;
        for (double r = 0.5 * expected.repulsive.cutoff(); r < expected.repulsive.cutoff(); r += 0.01)
            largest = std::max(largest,
                               std::abs(made.repulsive.evaluate(r)[0] - expected.repulsive.evaluate(r)[0]));
        BOOST_TEST(largest < 1e-5, file << " differs by " << largest << " hartree");
    }
    // The page with the pictures.
    const fs::path report = folder.path() / "report";
    const std::string page = io::read_text(report / "index.html");
    for (const char* figure :
         {"potential-C-C", "potential-H-Cr", "forces", "energies", "groups", "forces-CH4_1CH"})
        BOOST_TEST(fs::exists(report / (std::string(figure) + ".svg")), figure);
    for (const char* text : {"Repulsive potential of C-C", "Errors of the force components: CH4_1CH"})
        BOOST_TEST(page.find(text) != std::string::npos, text);
    // Errors beside the set are those of this fit.
    BOOST_TEST(io::read_text(folder.path() / "errors.csv").substr(0, 200) ==
               io::read_text(shipped() / "errors.csv").substr(0, 200));
}

BOOST_AUTO_TEST_CASE(integrals_computed_anew_equal_the_shipped_ones) {
    const TemporaryFolder folder;
    fs::copy(shipped() / "C-H.skf", folder.path());
    const Outcome outcome = run_program({"make-parameters", (shipped() / "config.toml").string(), "--out",
                                         folder.path().string(), "--only", "C-H"});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    for (const char* file : {"C-H.skf", "H-C.skf"}) {
        const tb::SkfTable made = table(folder.path() / "electronic", file),
                           expected = table(shipped(), file);
        BOOST_REQUIRE(made.values.size() == expected.values.size());
        double largest = 0;
        for (std::size_t k = 0; k < made.values.size(); ++k)
            largest = std::max(largest, std::abs(made.values[k] - expected.values[k]));
        BOOST_TEST(largest < 1e-8);  // the digits of the file and other processors' rounding
        BOOST_TEST(made.repulsive.is_zero());
    }
    // The finished file of the pair keeps its repulsion.
    BOOST_TEST(io::read_text(folder.path() / "C-H.skf") == io::read_text(shipped() / "C-H.skf"));
    BOOST_TEST(!fs::exists(folder.path() / "H-C.skf"));
}

BOOST_AUTO_TEST_CASE(a_set_that_was_made_for_charges_by_shell_gets_them_from_any_folder) {
    const TemporaryFolder folder;
    for (const auto& entry : fs::directory_iterator(shipped()))
        if (entry.is_regular_file()) fs::copy(entry.path(), folder.path());
    io::Schema schema = calculator_keys();
    schema.push_back(threads_key());
    io::Config config(schema);
    config.set("calculator.parameters", folder.path().string(), "test");
    const auto resolves_shells = [&](int element) {
        Structure s;
        s.add(element, Eigen::Vector3d::Zero());
        return make_calculator(config, s)->description().find("shell-resolved") != std::string::npos;
    };
    BOOST_TEST(resolves_shells(24));
    BOOST_TEST(!resolves_shells(6));
    config.set("calculator.scc.shell_resolved", "false", "test");
    BOOST_TEST(!resolves_shells(24));
}

BOOST_AUTO_TEST_CASE(walls_and_slater_functions_come_from_the_configuration) {
    const TemporaryFolder folder;
    io::write_text_atomically(
        folder.path() / "set.toml",
        hydrogen_config("wave = { radius = \"3.0 bohr\", height = \"3 hartree\", slope = 4 }\n"
                        "density = { radius = \"2.5 bohr\", exponent = 3 }\n"
                        "slater = { exponents = [0.5, 1.0, 2.0], powers = 3 }\n"));
    const Outcome outcome = run_program({"make-parameters", (folder.path() / "set.toml").string(), "--out",
                                         (folder.path() / "out").string()});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    const std::string file = io::read_text(folder.path() / "out" / "H-H.skf");
    for (const char* text : {"orbitals 3/(1+exp(-4(r-3)))", "density (r/2.5)^3", "slater 0.5,1,2 powers 3",
                             "RepulsiveMissingBelow"})
        BOOST_TEST(file.find(text) != std::string::npos, text << " is not in\n" << file.substr(0, 200));
    // Without a repulsion the pair is refused where it would matter, and allowed far apart.
    const auto energy = [&](const char* distance) {
        io::write_text_atomically(folder.path() / "h2.xyz",
                                  std::string("2\n\nH 0 0 0\nH 0 0 ") + distance + "\n");
        return run_program({"energy", (folder.path() / "h2.xyz").string(), "--parameters",
                            (folder.path() / "out").string()});
    };
    const Outcome refused = energy("0.75");
    BOOST_TEST(refused.status == 2);
    BOOST_TEST(refused.output.find("no repulsive energy") != std::string::npos, refused.output);
    BOOST_TEST(energy("3.0").status == 0);
}

BOOST_AUTO_TEST_CASE(tables_found_are_made_again_when_they_should_end_elsewhere) {
    const TemporaryFolder folder;
    const auto longest_made = [&](const std::string& longest) {
        std::string config = hydrogen_config("wave = \"3.0 bohr\"\ndensity = \"2.5 bohr\"\n");
        config.replace(config.find("[tables]\n"), 9, "[tables]\nlongest = \"" + longest + "\"\n");
        io::write_text_atomically(folder.path() / "set.toml", config);
        const Outcome outcome = run_program({"make-parameters", (folder.path() / "set.toml").string(),
                                             "--out", (folder.path() / "out").string()});
        BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
        const bool found = outcome.output.find("electronic tables found") != std::string::npos;
        return std::pair(table(folder.path() / "out", "H-H.skf").last_distance(), found);
    };
    BOOST_TEST(longest_made("5 bohr").first == 5.0);
    const auto [whole, found] = longest_made("24 bohr");
    BOOST_TEST(whole > 5.0);
    BOOST_TEST(!found);
    BOOST_TEST(longest_made("20 bohr").second);  // they ended by themselves before
    BOOST_TEST(longest_made("4.5 bohr").first == 4.5, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(bad_settings_are_named) {
    const TemporaryFolder folder;
    const auto check = [&](const std::string& config, const std::string& expected) {
        io::write_text_atomically(folder.path() / "set.toml", config);
        const Outcome outcome = run_program({"make-parameters", (folder.path() / "set.toml").string(),
                                             "--out", (folder.path() / "out").string()});
        BOOST_TEST(outcome.status == 2, expected << ": " << outcome.output);
        BOOST_TEST(outcome.output.find(expected) != std::string::npos, outcome.output);
    };
    const std::string radii = "wave = \"3.0 bohr\"\ndensity = \"2.5 bohr\"\n";
    check(hydrogen_config(radii, "functional = \"pbf\"\n"), "libxc knows no 'pbf'");
    check(hydrogen_config("wave = \"0.3 bohr\"\ndensity = \"2.5 bohr\"\n"), "0.5");
    check(hydrogen_config("wave = { radius = \"3.0 bohr\", height = \"3 hartree\" }\n"), "slope");
    check(hydrogen_config("wave = \"3.0 bohr\"\n"), "configuration, shells, wave and density are needed");
    check(hydrogen_config(radii + "[elements.Si]\nconfiguration = \"[Ne] 3s2 3p2 3d0\"\n"
                                  "shells = [\"3s\", \"3p\", \"3d\"]\n"
                                  "wave = \"3.3 bohr\"\ndensity = \"6.7 bohr\"\n"),
          "the shell 3d of the free atom is unbound");
    const auto molecules = shipped() / "reference" / "molecules.extxyz";
    check(hydrogen_config(radii, "references = [\"" + molecules.string() + "\"]\n"),
          "holds C, which is no element of the set");
}

BOOST_AUTO_TEST_SUITE_END()

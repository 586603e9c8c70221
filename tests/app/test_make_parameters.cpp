// SPDX-License-Identifier: Apache-2.0
// The shipped set comes out again of its configuration and its reference structures.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "run_program.hpp"
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
    const Outcome outcome = run_program({"make-parameters", (shipped() / "config.toml").string(), "--out",
                                         folder.path().string(), "--only", "C-H"});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    for (const char* file : {"C-H.skf", "H-C.skf"}) {
        const tb::SkfTable made = table(folder.path(), file), expected = table(shipped(), file);
        BOOST_REQUIRE(made.values.size() == expected.values.size());
        double largest = 0;
        for (std::size_t k = 0; k < made.values.size(); ++k)
            largest = std::max(largest, std::abs(made.values[k] - expected.values[k]));
        BOOST_TEST(largest < 1e-8);  // the digits of the file and other processors' rounding
        // Without the fit the pair is marked and refused.
        BOOST_TEST(made.repulsive.missing_below() > 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()

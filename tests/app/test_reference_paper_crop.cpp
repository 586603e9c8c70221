// SPDX-License-Identifier: Apache-2.0
// The main job on the real frame: examples/paper_crop.toml, with a few steps of dynamics.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "run_program.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/structure/analysis.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(test_reference_paper_crop)

BOOST_AUTO_TEST_CASE(the_patch_of_91_atoms_is_found_terminated_relaxed_and_moved) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const TemporaryFolder folder;
    const Outcome outcome = run_program(
        {"run", (source_folder() / "examples" / "paper_crop.toml").string(), "--out", folder.path().string(),
         "--image", (reference / "stem" / "paper_frame" / "frame896_upsampled_bicubic.png").string(),
         "--parameters", (reference / "skf" / "pbc-0-3").string(), "--steps", "10"});
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);

    // The lattice says what notes on this frame say: 0.100 angstrom/px, 6-7 % anisotropy, C-C 1.42 angstrom.
    const auto summary = nlohmann::json::parse(std::ifstream(folder.path() / "1-detect" / "summary.json"));
    BOOST_TEST(std::abs(summary["calibration"]["scale_angstrom_per_px"].get<double>() - 0.100) < 0.001);
    BOOST_TEST(summary["calibration"]["anisotropy"].get<double>() > 0.06);
    BOOST_TEST(summary["calibration"]["anisotropy"].get<double>() < 0.07);

    const Structure built = io::read_structure(folder.path() / "2-build" / "structure.extxyz");
    BOOST_TEST(built.count(6) == 91);
    BOOST_TEST(built.count(1) >= 20);

    const auto relaxed = nlohmann::json::parse(std::ifstream(folder.path() / "3-relax" / "stage.json"));
    BOOST_TEST(relaxed["results"]["max_force_ev_per_angstrom"].get<double>() <= 1e-3);

    // Relaxed, the patch is a sheet with its 5-7 defect: every C has three neighbours, bonds are those of
    // graphene.
    const StructureAnalysis analysis =
        analyze(io::read_structure(folder.path() / "3-relax" / "relaxed.extxyz"));
    BOOST_TEST(analysis.coordination.at("C").at(3) == 91);
    BOOST_TEST(analysis.ring_counts.at(5) >= 1);
    BOOST_TEST(analysis.ring_counts.at(7) >= 1);
    BOOST_TEST(std::abs(analysis.bonds.at("C-C").mean / units::angstrom - 1.425) < 0.015);
    BOOST_TEST(std::abs(analysis.bonds.at("C-H").mean / units::angstrom - 1.10) < 0.02);
    BOOST_TEST(fs::exists(folder.path() / "report" / "index.html"));
}

BOOST_AUTO_TEST_SUITE_END()

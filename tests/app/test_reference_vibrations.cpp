// SPDX-License-Identifier: Apache-2.0
// Vibrations of water with a published parameter set: from a rough geometry to frequencies and free energies.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "run_program.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/text_file.hpp"

using namespace stembridge;
using namespace stembridge::testing;
namespace fs = std::filesystem;

namespace {

/// A folder with water, relaxed.
struct Workplace {
    explicit Workplace(const fs::path& reference) : parameters((reference / "skf" / "mio-1-1").string()) {
        Structure water;
        water.add(8, Eigen::Vector3d(0, 0, 0));
        water.add(1, Eigen::Vector3d(0.96, 0.05, 0) * units::angstrom);
        water.add(1, Eigen::Vector3d(-0.24, 0.93, 0.02) * units::angstrom);
        io::write_structure(folder.path() / "start.extxyz", water);
        const Outcome relaxed = run_program({"relax", file("start.extxyz"), "--out", file("relaxed.extxyz"),
                                             "--parameters", parameters, "--max-force", "1e-4 eV/angstrom",
                                             "--scc-tolerance", "1e-9", "--threads", "1"});
        BOOST_REQUIRE_MESSAGE(relaxed.status == 0, relaxed.output);
    }
    std::string file(const std::string& name) const { return (folder.path() / name).string(); }
    std::vector<std::string> vibrations(const std::string& structure, const std::string& out) const {
        return {"vibrations", file(structure), "--out",    file(out),   "--symmetry-number",
                "2",          "--parameters",  parameters, "--threads", "1"};
    }
    nlohmann::json result(const std::string& out) const {
        return nlohmann::json::parse(std::ifstream(folder.path() / out / "vibrations.json"));
    }
    TemporaryFolder folder;
    std::string parameters;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_vibrations)

BOOST_AUTO_TEST_CASE(water_has_a_bend_two_stretches_and_six_motions_without_energy) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Workplace place(reference);
    const Outcome outcome = run_program(place.vibrations("relaxed.extxyz", "out"));
    BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
    BOOST_TEST(outcome.output.find("not relaxed") == std::string::npos, outcome.output);
    const nlohmann::json result = place.result("out");
    const auto frequencies = result["frequencies_cm1"].get<std::vector<double>>();
    BOOST_REQUIRE(frequencies.size() == 3);
    BOOST_TEST(frequencies[0] > 1500);
    BOOST_TEST(frequencies[0] < 1700);
    for (const int k : {1, 2}) {
        BOOST_TEST(frequencies[static_cast<std::size_t>(k)] > 3500);
        BOOST_TEST(frequencies[static_cast<std::size_t>(k)] < 4000);
    }
    // Moving an atom straight instead of around stretches its bonds: k d^2 / 2 r^2 is left of rotations, a
    // frequency proportional to d, 15 cm^-1 at the default of 0.005 angstrom. That it is this and not the
    // self-consistency shows when d is doubled.
    const auto largest_rigid = [](const nlohmann::json& of) {
        auto sizes = of["unprojected_frequencies_cm1"].get<std::vector<double>>();
        for (double& f : sizes) f = std::abs(f);
        std::sort(sizes.begin(), sizes.end());
        return sizes.at(5);
    };
    auto coarser = place.vibrations("relaxed.extxyz", "coarser");
    coarser.insert(coarser.end(), {"--displacement", "0.01 angstrom"});
    BOOST_REQUIRE(run_program(coarser).status == 0);
    const double rigid = largest_rigid(result);
    BOOST_TEST(rigid < 20);
    BOOST_TEST(largest_rigid(place.result("coarser")) / rigid == 2.0, boost::test_tools::tolerance(0.05));
    BOOST_TEST(result["rigid_motions"] == 6);
    const double zero_point = result["zero_point_energy_ev"];
    const double sum = frequencies[0] + frequencies[1] + frequencies[2];
    BOOST_TEST(zero_point == sum / 2 * units::inverse_centimetre / units::electronvolt,
               boost::test_tools::tolerance(1e-9));
    // The measured standard entropy, 188.835 J/(mol K) = 1.95711e-3 eV/K; geometry and frequencies of the
    // method are a few per cent off, which is 1 J/(mol K).
    const double entropy = result["thermochemistry"]["ideal_gas"]["entropy_ev_per_k"];
    BOOST_TEST(std::abs(entropy - 1.95711e-3) < 1e-5);
    BOOST_TEST(io::read_trajectory(place.file("out/modes.extxyz")).size() == 3U);
    BOOST_TEST(io::read_text(place.file("out/spectrum.svg")).find("<svg") != std::string::npos);

    BOOST_TEST(run_program(place.vibrations("relaxed.extxyz", "out")).output.find("not done again") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_structure_that_is_not_relaxed_is_warned_about) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Workplace place(reference);
    const Outcome outcome = run_program(place.vibrations("start.extxyz", "out"));
    BOOST_TEST(outcome.status == 0, outcome.output);
    BOOST_TEST(outcome.output.find("not relaxed") != std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_killed_continues_to_the_same_result) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const Workplace place(reference);
    BOOST_REQUIRE(run_program(place.vibrations("relaxed.extxyz", "whole")).status == 0);
    interrupt(
        place.vibrations("relaxed.extxyz", "killed"), place.file("killed"),
        [&] { return fs::exists(place.file("killed/checkpoint.h5")); }, SIGKILL);
    BOOST_TEST(run_program(place.vibrations("relaxed.extxyz", "killed")).status == 0);
    for (const char* name : {"vibrations.json", "modes.extxyz", "spectrum.svg"})
        BOOST_TEST((io::read_text(place.file(std::string("whole/") + name)) ==
                    io::read_text(place.file(std::string("killed/") + name))),
                   name);
}

BOOST_AUTO_TEST_SUITE_END()

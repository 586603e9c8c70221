// SPDX-License-Identifier: Apache-2.0
// The shipped frame: what it holds, that the simulator makes it again, and the baseline on it.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/io/image_file.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_example_frame)

BOOST_AUTO_TEST_CASE(shipped_frame_is_what_the_simulator_makes) {
    const auto frame = example_frame(seeded(1));
    const Image shipped = io::read_image(source_folder() / "data" / "frames" / "example.png");
    BOOST_REQUIRE(shipped.height() == 896);
    BOOST_REQUIRE(shipped.width() == 896);
    // Another compiler may round a count the other way; each row has random numbers of its own.
    const double equal = (shipped.pixels == frame.image.pixels).cast<double>().mean();
    BOOST_TEST(equal > 0.95);
    const auto truth = shipped_truth();
    BOOST_REQUIRE(truth.size() == frame.atoms.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
        // Written with four decimals.
        BOOST_TEST(std::abs(truth[i].x_px - frame.atoms[i].x_px) < 2e-4);
        BOOST_TEST(std::abs(truth[i].y_px - frame.atoms[i].y_px) < 2e-4);
        BOOST_TEST(truth[i].atomic_number == frame.atoms[i].atomic_number);
    }
}

BOOST_AUTO_TEST_CASE(shipped_frame_shows_about_two_thousand_carbon_and_22_silicon_atoms) {
    int carbon = 0, silicon = 0, covered = 0;
    for (const TrueAtom& atom : shipped_truth())
        atom.covered ? ++covered : (atom.atomic_number == 14 ? ++silicon : ++carbon);
    BOOST_TEST(carbon > 1900);
    BOOST_TEST(carbon < 2100);
    BOOST_TEST(silicon == 22);
    BOOST_TEST(covered > 900);
}

BOOST_AUTO_TEST_CASE(classical_detector_finds_most_of_the_shipped_frame) {
    Image image = io::read_image(source_folder() / "data" / "frames" / "example.png");
    image.pixel_size_angstrom = 0.104;
    FindAtomsOptions all;
    all.minimum_probability = 0;
    const auto result = find_atoms(image, nullptr, all);
    const Score found = score(result.atoms, shipped_truth(), 0.104, 896, 896);
    BOOST_TEST_MESSAGE("classical: F1 " << found.f1 << ", rms " << found.rms_angstrom << " angstrom");
    BOOST_TEST(found.f1 > 0.93);
    BOOST_TEST(found.rms_angstrom < 0.17);
}

BOOST_AUTO_TEST_SUITE_END()

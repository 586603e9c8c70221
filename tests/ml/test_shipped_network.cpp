// SPDX-License-Identifier: Apache-2.0
// The shipped network on the shipped frame: the measures of the README.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/io/image_file.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_shipped_network)

BOOST_AUTO_TEST_CASE(atoms_of_the_shipped_frame_are_found_and_placed) {
    if (!networks_available()) {
        skip("built without LibTorch");
        return;
    }
    const auto network = open_network(shipped_weights(), {});
    BOOST_TEST(network->shape().parameters() == 839347);
    Image image = io::read_image(source_folder() / "data" / "frames" / "example.png");
    image.pixel_size_angstrom = 0.104;
    const auto result = find_atoms(image, network.get());
    const auto truth = shipped_truth();
    const Score found = score(result.atoms, truth, 0.104, 896, 896),
                baseline = score(result.baseline, truth, 0.104, 896, 896);
    BOOST_TEST_MESSAGE("network: F1 " << found.f1 << ", rms " << found.rms_angstrom
                                      << " angstrom, elements right " << found.same_element << " of "
                                      << found.hits << "; classical: F1 " << baseline.f1);
    BOOST_TEST(found.f1 >= 0.98);
    BOOST_TEST(found.rms_angstrom <= 0.15);
    BOOST_TEST(found.f1 > baseline.f1);
    BOOST_TEST(found.same_element >= found.hits - 5);
    BOOST_TEST(result.bonds.mean_angstrom == 1.42, boost::test_tools::tolerance(0.01));

    // The predicted errors of the positions are neither boasting nor hiding: pulls of about 1.
    double squares = 0;
    int count = 0;
    for (const Detection& atom : result.atoms)
        for (const TrueAtom& t : truth) {
            const double dx = 0.104 * (atom.x_px - t.x_px), dy = 0.104 * (atom.y_px - t.y_px);
            if (t.covered || std::hypot(dx, dy) > 0.5) continue;
            squares += (dx * dx + dy * dy) / (2 * atom.sigma_angstrom * atom.sigma_angstrom);
            ++count;
        }
    BOOST_TEST(std::sqrt(squares / count) > 0.6);
    BOOST_TEST(std::sqrt(squares / count) < 1.7);
}

BOOST_AUTO_TEST_SUITE_END()

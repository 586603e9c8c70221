// SPDX-License-Identifier: Apache-2.0
// The shipped network on the shipped frame: the measures of the README.
#include <omp.h>

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
    std::uintmax_t bytes = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(source_folder() / "data" / "networks"))
        if (entry.is_regular_file()) bytes += entry.file_size();
    BOOST_TEST(bytes < 25'000'000u);
    // LibTorch, here used for the first time, takes none of the threads away.
    const int threads = omp_get_max_threads();
    omp_set_num_threads(3);
    const auto network = open_network(shipped_weights(), {});
    BOOST_TEST(omp_get_max_threads() == 3);
    omp_set_num_threads(threads);
    BOOST_TEST(network->shape().parameters() == 839347);
    BOOST_TEST(network->members() == 5);
    Image image = io::read_image(source_folder() / "data" / "frames" / "example.png");
    image.pixel_size_angstrom = 0.104;
    const auto result = find_atoms(image, network.get());
    BOOST_TEST(omp_get_max_threads() == threads);
    const auto truth = shipped_truth();
    const Score found = score(result.atoms, truth, 0.104, 896, 896),
                baseline = score(result.baseline, truth, 0.104, 896, 896);
    BOOST_TEST_MESSAGE("network: F1 " << found.f1 << ", rms " << found.rms_angstrom
                                      << " angstrom, elements right " << found.same_element << " of "
                                      << found.hits << "; classical: F1 " << baseline.f1);
    BOOST_TEST(found.f1 >= 0.99);
    BOOST_TEST(found.rms_angstrom <= 0.15);
    BOOST_TEST(found.f1 > baseline.f1);
    BOOST_TEST(found.same_element >= found.hits - 5);
    BOOST_TEST(result.bonds.mean_angstrom == 1.42, boost::test_tools::tolerance(0.01));

    // Si at the rim of the contamination is found, and no C is taken for it.
    int silicon = 0, mistaken = 0;
    for (const TrueAtom& t : truth) {
        if (t.covered) continue;
        for (const Detection& atom : result.atoms)
            if (std::hypot(atom.x_px - t.x_px, atom.y_px - t.y_px) < 0.5 / 0.104) {
                silicon += t.atomic_number == 14 && atom.atomic_number == 14;
                mistaken += t.atomic_number == 6 && atom.atomic_number == 14;
            }
    }
    BOOST_TEST(silicon >= 19);
    BOOST_TEST(mistaken == 0);

    // Nearly all members agree on nearly all atoms, and where they do not, their probabilities spread.
    int unanimous = 0;
    double agreed_spread = 0, other_spread = 0;
    for (const Detection& atom : result.atoms) {
        BOOST_REQUIRE(atom.votes >= 0);
        BOOST_REQUIRE(atom.votes <= 5);
        unanimous += atom.votes == 5;
        (atom.votes == 5 ? agreed_spread : other_spread) += atom.spread;
    }
    const double others = static_cast<double>(result.atoms.size()) - unanimous;
    BOOST_TEST(unanimous > 0.98 * static_cast<double>(result.atoms.size()));
    if (others > 0) BOOST_TEST(other_spread / others > agreed_spread / unanimous);

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

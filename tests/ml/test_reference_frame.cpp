// SPDX-License-Identifier: Apache-2.0
// The paper's real frame against the published positions inside the graphene region.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/io/image_file.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_reference_frame)

namespace {

constexpr double pixel_angstrom = 0.1;

Image real_frame(const std::filesystem::path& reference) {
    Image image = io::read_image(reference / "stem" / "paper_frame" / "frame896_upsampled_bicubic.png");
    image.pixel_size_angstrom = 0.104;
    return image;
}

std::vector<TrueAtom> published(const std::filesystem::path& reference) {
    std::vector<TrueAtom> atoms;
    for (const auto& row : table(reference / "stem" / "paper_frame" / "coords_2021C_22Si.csv"))
        atoms.push_back({std::stod(row.at(8)), std::stod(row.at(7)), row.at(2) == "1" ? 14 : 6, false});
    return atoms;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lattice_of_the_real_frame_gives_its_known_scale) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const auto result = find_atoms(real_frame(reference), nullptr);
    BOOST_TEST(std::abs(result.calibration.scale_angstrom - 0.100) < 0.001);
    BOOST_TEST(result.calibration.anisotropy > 0.06);
    BOOST_TEST(result.calibration.anisotropy < 0.07);
}

BOOST_AUTO_TEST_CASE(classical_detector_reaches_its_known_score_on_the_real_frame) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const auto result = find_atoms(real_frame(reference), nullptr);
    const Score found = score(result.baseline, published(reference), pixel_angstrom, 896, 896, result.region);
    BOOST_TEST_MESSAGE("classical: F1 " << found.f1 << ", rms " << found.rms_angstrom << " angstrom");
    BOOST_TEST(found.f1 > 0.945);
}

BOOST_AUTO_TEST_CASE(network_beats_the_baseline_on_the_real_frame) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    if (!networks_available()) {
        skip("built without LibTorch");
        return;
    }
    const auto network = open_network(shipped_weights(), {});
    const auto result = find_atoms(real_frame(reference), network.get());
    const auto truth = published(reference);
    const Score found = score(result.atoms, truth, pixel_angstrom, 896, 896, result.region);
    const Score everywhere = score(result.atoms, truth, pixel_angstrom, 896, 896);
    const Score baseline = score(result.baseline, truth, pixel_angstrom, 896, 896, result.region);
    BOOST_TEST_MESSAGE("network: F1 " << found.f1 << " in the graphene region, " << everywhere.f1
                                      << " in the whole frame, rms " << found.rms_angstrom
                                      << " angstrom; classical: F1 " << baseline.f1);
    BOOST_TEST(found.f1 >= 0.95);
    BOOST_TEST(everywhere.f1 >= 0.95);
    BOOST_TEST(found.f1 > baseline.f1);
    BOOST_TEST(std::abs(result.calibration.scale_angstrom - 0.100) < 0.001);
    BOOST_TEST(result.calibration.anisotropy > 0.06);
    BOOST_TEST(result.calibration.anisotropy < 0.07);
    BOOST_TEST(std::abs(result.bonds.mean_angstrom - 1.42) < 0.01);
}

BOOST_AUTO_TEST_SUITE_END()

// SPDX-License-Identifier: Apache-2.0
// Frames that are not a single sheet of graphene: no confident nonsense.
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"
#include "stembridge/io/image_file.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_out_of_distribution)

namespace {

Image noise_frame() {
    Image image{Pixels(300, 300), 0.104, "noise"};
    Random random(5);
    for (Eigen::Index i = 0; i < image.pixels.size(); ++i)
        image.pixels.data()[i] = static_cast<float>(random.normal());
    return image;
}

/// A frame without atoms; @param coverage of contamination
Image empty_frame(double coverage) {
    SimulationOptions options;
    options.scan.width = options.scan.height = 300;
    options.contamination.coverage = coverage;
    return simulate_image({}, options, seeded(4)).image;
}

/// Two layers in Bernal stacking: the second is shifted by a bond.
SimulatedFrame bilayer() {
    SceneOptions scene;
    scene.width_angstrom = scene.height_angstrom = 40;
    std::vector<SceneAtom> atoms = random_scene(scene, seeded(6));
    const std::size_t first = atoms.size();
    for (std::size_t i = 0; i < first; ++i)
        atoms.push_back({atoms[i].x_angstrom, atoms[i].y_angstrom + 1.42, 6});
    SimulationOptions options;
    options.scan.width = options.scan.height = 300;
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = 4;
    options.detector.electrons_per_pixel = 12000;
    return simulate_image(atoms, options, seeded(6));
}

/// Little confidence is put into what is found in the frame, and into every atom, or nothing is found.
void check_modest(const Image& image, SegmentationNetwork* network, const FindAtomsOptions& options) {
    std::string warnings;
    Context context;
    context.log_sink = [&](Context::Level level, std::string_view message) {
        if (level == Context::Level::warning) warnings += message;
    };
    try {
        const auto found = find_atoms(image, network, options, context);
        BOOST_TEST(found.confidence.value < 0.3);
        BOOST_TEST(!found.confidence.doubts.empty());
        BOOST_TEST(warnings.find("low confidence") != std::string::npos);
        for (const Detection& atom : found.atoms) BOOST_TEST(atom.probability < 0.3);
    } catch (const InputError& error) {  // nothing found
        BOOST_TEST(std::string(error.what()).find("no atoms found") != std::string::npos);
    }
    if (options.calibrate)
        BOOST_TEST(warnings.find("no graphene lattice found in the Fourier spectrum") != std::string::npos);
}

/// Refused where the lattice has to tell the pixel size, or is asked for; modest where the size is given.
void check_modest(Image image, SegmentationNetwork* network) {
    FindAtomsOptions options;
    options.pixel_size_angstrom = 0.104;
    for (const bool calibrate : {true, false}) {
        options.calibrate = calibrate;
        check_modest(image, network, options);
    }
    options.calibrate = options.require_lattice = true;
    BOOST_CHECK_THROW(find_atoms(image, network, options), NumericalError);
    image.pixel_size_angstrom.reset();
    BOOST_CHECK_THROW(find_atoms(image, network), NumericalError);
}

}  // namespace

BOOST_AUTO_TEST_CASE(noise_vacuum_and_contamination_hold_nothing_to_be_sure_of) {
    std::vector<std::unique_ptr<SegmentationNetwork>> networks(1);
    if (networks_available()) networks.push_back(shipped_network());
    for (const auto& network : networks) {
        check_modest(noise_frame(), network.get());
        check_modest(empty_frame(0), network.get());
        check_modest(empty_frame(1), network.get());
    }
}

BOOST_AUTO_TEST_CASE(two_layers_are_not_taken_for_one) {
    const auto frame = bilayer();
    try {
        const auto found = find_atoms(frame.image, nullptr);
        BOOST_TEST_MESSAGE("confidence " << found.confidence.value);
        BOOST_TEST((found.confidence.value < 0.5 || found.inverted));
    } catch (const NumericalError&) {  // no lattice of a single sheet
    }
}

BOOST_AUTO_TEST_CASE(graphene_is_believed) {
    for (const double electrons : {1873.0, 12000.0}) {
        SimulationOptions options;
        options.scan.width = options.scan.height = 300;
        options.detector.electrons_per_pixel = electrons;
        SceneOptions scene;
        scene.vacancies = scene.silicon_substitutions = 30;
        const auto found = find_atoms(sheet_frame(options, scene, 8).image, nullptr);
        BOOST_TEST(found.confidence.value > 0.7);
    }
}

BOOST_AUTO_TEST_CASE(columns_of_silicon_are_not_graphene) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    Image image = io::read_image(reference / "stem" / "atomsegnet" / "Si110_5nmX25us_03_none_none.png");
    image.pixel_size_angstrom = 50.0 / image.width();
    std::vector<std::unique_ptr<SegmentationNetwork>> networks(1);
    if (networks_available()) networks.push_back(shipped_network());
    for (const auto& network : networks) {
        FindAtomsOptions options;
        options.minimum_probability = 0;
        try {
            const auto found = find_atoms(image, network.get(), options);
            BOOST_TEST(found.confidence.value < 0.1);
            for (const Detection& atom : found.atoms) BOOST_TEST(atom.probability < 0.1);
        } catch (const InputError& error) {  // nothing found
            BOOST_TEST(std::string(error.what()).find("no atoms found") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

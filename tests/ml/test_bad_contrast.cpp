// SPDX-License-Identifier: Apache-2.0
// Frames whose grey levels are not what a detector expects: dark atoms, saturation, other elements; and
// frames of awkward sizes.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "frames.hpp"
#include "stembridge/base/errors.hpp"
#include "stembridge/base/random.hpp"

using namespace stembridge;
using namespace stembridge::ml;
using namespace stembridge::testing;

BOOST_AUTO_TEST_SUITE(test_bad_contrast)

namespace {

SimulatedFrame frame_of(double electrons, const SceneOptions& scene = {}, int width = 300, int height = 300) {
    SimulationOptions options;
    options.scan.width = width;
    options.scan.height = height;
    options.detector.electrons_per_pixel = electrons;
    return sheet_frame(options, scene, 41);
}

/// What find_atoms warns about.
struct Warnings {
    std::string text;
    Context context() {
        Context result;
        result.log_sink = [this](Context::Level level, std::string_view message) {
            if (level == Context::Level::warning) text += std::string(message) + "\n";
        };
        return result;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(dark_atoms_are_noticed_said_and_found) {
    // The second dose is that of real frames.
    for (const double electrons : {12000.0, 1873.0}) {
        SimulatedFrame frame = frame_of(electrons);
        Warnings bright;
        const auto expected = find_atoms(frame.image, nullptr, {}, bright.context());
        BOOST_TEST(!expected.inverted);
        BOOST_TEST(bright.text.empty(), bright.text);
        frame.image.pixels = 100.0F - frame.image.pixels;
        Warnings dark;
        const auto found = find_atoms(frame.image, nullptr, {}, dark.context());
        BOOST_TEST(found.inverted);
        BOOST_TEST(dark.text.find("inverted contrast") != std::string::npos);
        BOOST_TEST(found.atoms.size() == expected.atoms.size());
        // The lattice tells also where it is not used to calibrate.
        FindAtomsOptions nominal;
        nominal.calibrate = false;
        nominal.pixel_size_angstrom = 0.104;
        BOOST_TEST(find_atoms(frame.image, nullptr, nominal).inverted);
    }
}

BOOST_AUTO_TEST_CASE(the_contrast_can_be_dictated) {
    const SimulatedFrame frame = frame_of(12000);
    FindAtomsOptions options;
    options.contrast = AtomContrast::dark;
    const auto found = find_atoms(frame.image, nullptr, options);
    BOOST_TEST(found.inverted);
    BOOST_TEST(score(found.atoms, frame.atoms, 0.104, 300, 300).f1 < 0.5);  // hollows instead of atoms
}

BOOST_AUTO_TEST_CASE(contamination_is_not_taken_for_dark_atoms) {
    SimulationOptions options;
    options.scan.width = options.scan.height = 400;
    options.contamination.coverage = 0.35;
    auto frame = sheet_frame(options, {}, 42);
    const auto calibration = calibrate_lattice(frame.image, 0.104);
    // At the dose of real frames.
    BOOST_TEST(dark_atom_phase(frame.image, calibration) < -0.5);
    BOOST_TEST(dark_atom_phase(frame.image, nominal_calibration(0.104)) == 0);
    frame.image.pixels = 100.0F - frame.image.pixels;
    BOOST_TEST(dark_atom_phase(frame.image, calibration) > 0.5);
}

BOOST_AUTO_TEST_CASE(saturated_frames_are_told_with_the_share) {
    SimulationOptions options;
    options.scan.width = options.scan.height = 300;
    options.detector.electrons_per_pixel = 12000;
    options.detector.blur_px = 0.5;  // many grey levels
    SimulatedFrame frame = sheet_frame(options, {}, 41);
    BOOST_TEST(saturated_share(frame.image.pixels) == 0);
    std::vector<float> values(frame.image.pixels.data(),
                              frame.image.pixels.data() + frame.image.pixels.size());
    std::sort(values.begin(), values.end());
    const float limit = values[values.size() - values.size() / 50];  // the brightest 2 %
    frame.image.pixels = frame.image.pixels.min(limit);
    BOOST_TEST(saturated_share(frame.image.pixels) > 0.015);
    BOOST_TEST(saturated_share(frame.image.pixels) < 0.03);
    Warnings warnings;
    const auto found = find_atoms(frame.image, nullptr, {}, warnings.context());
    BOOST_TEST(found.saturated_share > 0.01);
    BOOST_TEST(warnings.text.find("saturated") != std::string::npos);
    BOOST_TEST(score(found.atoms, frame.atoms, 0.104, 300, 300).f1 > 0.9);
}

BOOST_AUTO_TEST_CASE(few_grey_levels_are_no_saturation) {
    Pixels steps(64, 64);
    for (Eigen::Index i = 0; i < steps.size(); ++i) steps.data()[i] = static_cast<float>(i % 7);
    BOOST_TEST(saturated_share(steps) == 0);
    BOOST_TEST(saturated_share(Pixels::Ones(8, 8)) == 0);
    BOOST_TEST(saturated_share({}) == 0);
}

BOOST_AUTO_TEST_CASE(chromium_is_neither_carbon_nor_silicon) {
    SceneOptions scene;
    scene.silicon_substitutions = 60;
    SimulationOptions options;
    options.scan.width = options.scan.height = 400;
    options.detector.electrons_per_pixel = 6000;
    scene.width_angstrom = scene.height_angstrom = 45;
    std::vector<SceneAtom> atoms = random_scene(scene, seeded(43));
    int turn = 0;
    for (SceneAtom& atom : atoms)
        if (atom.atomic_number == 14 && turn++ % 3 == 0) atom.atomic_number = 24;
    options.scan.origin_x_angstrom = options.scan.origin_y_angstrom = 2;
    const auto frame = simulate_image(atoms, options, seeded(43));
    const auto found = find_atoms(frame.image, nullptr);
    int chromium = 0, flagged = 0, silicon = 0, silicon_flagged = 0;
    for (const TrueAtom& truth : frame.atoms) {
        if (truth.x_px < 8 || truth.y_px < 8 || truth.x_px > 391 || truth.y_px > 391) continue;
        for (const Detection& atom : found.atoms) {
            if (std::hypot(atom.x_px - truth.x_px, atom.y_px - truth.y_px) > 4) continue;
            chromium += truth.atomic_number == 24;
            flagged += truth.atomic_number == 24 && atom.atomic_number == 0;
            silicon += truth.atomic_number == 14;
            silicon_flagged += truth.atomic_number == 14 && atom.atomic_number == 0;
            BOOST_TEST(!(truth.atomic_number == 6 && atom.atomic_number == 0));
        }
    }
    BOOST_TEST(chromium >= 3);
    BOOST_TEST(flagged == chromium);
    BOOST_TEST(silicon >= 5);
    BOOST_TEST(silicon_flagged == 0);
}

BOOST_AUTO_TEST_CASE(atoms_far_brighter_than_silicon_become_unknown) {
    const auto elements = [](std::vector<int> z, const std::vector<double>& amplitudes) {
        Detections atoms(z.size());
        for (std::size_t i = 0; i < z.size(); ++i) atoms[i].atomic_number = z[i];
        mark_unknown(atoms, amplitudes);
        for (std::size_t i = 0; i < z.size(); ++i) z[i] = atoms[i].atomic_number;
        return z;
    };
    using Elements = std::vector<int>;
    BOOST_TEST((elements({6, 6, 6, 14}, {1, 1, 1, 11}) == Elements{6, 6, 6, 0}));
    BOOST_TEST((elements({6, 6, 6, 14}, {1, 1, 1, 5}) == Elements{6, 6, 6, 14}));
    // More of the brightest than of Si: they do not become the measure.
    BOOST_TEST(
        (elements({6, 6, 6, 14, 14, 14, 14}, {1, 1, 1, 11, 11, 11, 4}) == Elements{6, 6, 6, 0, 0, 0, 14}));
    BOOST_TEST((elements({14}, {11}) == Elements{14}));  // nothing to compare with
}

BOOST_AUTO_TEST_CASE(sides_that_no_network_divides_are_no_problem) {
    const auto frame = frame_of(12000, {}, 251, 203);
    const auto found = find_atoms(frame.image, nullptr);
    BOOST_TEST(found.mean.cols() == 251);
    BOOST_TEST(found.mean.rows() == 203);
    BOOST_TEST(score(found.atoms, frame.atoms, 0.104, 251, 203).f1 > 0.93);
    if (!networks_available()) return;
    const auto network = open_network(shipped_weights(), {});
    for (const int side :
         {100, 61}) {  // 69 and 42 pixels of the network: smaller than a tile of its training
        Image part = frame.image;
        part.pixels = frame.image.pixels.topLeftCorner(side, side).eval();
        FindAtomsOptions options;
        options.calibrate = false;
        options.pixel_size_angstrom = 0.104;
        const auto small = find_atoms(part, network.get(), options);
        BOOST_TEST(small.mean.rows() == side);
        std::vector<TrueAtom> truth;
        for (const TrueAtom& atom : frame.atoms)
            if (atom.x_px < side && atom.y_px < side) truth.push_back(atom);
        BOOST_TEST(score(small.atoms, truth, 0.104, side, side).f1 > 0.9);
    }
}

BOOST_AUTO_TEST_CASE(hot_pixels_are_replaced_and_atoms_stay) {
    SceneOptions scene;
    scene.silicon_substitutions = 60;
    scene.chromium_substitutions = 60;
    for (const double electrons : {12000.0, 1873.0}) {
        const SimulatedFrame clean = frame_of(electrons, scene);
        Warnings none;
        const auto expected = find_atoms(clean.image, nullptr, {}, none.context());
        BOOST_TEST(expected.outliers == 0);
        for (const float value : {65535.0F, 1e3F}) {
            Image hot = clean.image;
            Random random(3);
            for (int k = 0; k < 16; ++k) hot.pixels(random.below(300), random.below(300)) = value;
            Warnings warnings;
            const auto found = find_atoms(hot, nullptr, {}, warnings.context());
            BOOST_TEST(found.outliers == 16);
            BOOST_TEST(warnings.text.find("16 single pixels") != std::string::npos, warnings.text);
            // At most the atoms under those pixels differ.
            BOOST_TEST(std::abs(static_cast<int>(found.atoms.size()) -
                                static_cast<int>(expected.atoms.size())) <= 16);
            BOOST_TEST(found.calibration.scale_angstrom == expected.calibration.scale_angstrom,
                       boost::test_tools::tolerance(2e-3));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
